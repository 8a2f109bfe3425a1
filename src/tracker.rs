//! The tracker: drives the outbox with what the page tells, and does what the outbox asks. It has
//! no rules of its own.
//!
//! Nothing here is borrowed while page code runs: each step takes what it needs, lets go, and only
//! then calls. Page code that calls back in the meantime finds everything usable, and what it
//! brings is dealt with by the run that is under way.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::decision::{Decision, Text, Verdict};
use crate::destination::{Destination, State, segment, spell};
use crate::forward::commands;
use crate::gate::{Consent, Facts};
use crate::js::page::{self, JsValue};
use crate::json::{decimal, join, whole};
use crate::options::Options;
use crate::outbox::{Call, Effect, FULL, Input, LIMIT, Outbox, SLICE_MS, Sending, Step};
use crate::parcel::Item;
use crate::store::{self, Memory, Session, Shelf};
use crate::view::{UNIT, View};

mod diagnosis;
mod learn;
mod sources;

pub use diagnosis::diagnose;
use learn::learn;
pub use sources::{around, decide_by_callback, decide_by_event, entered, replay};

/// Where something is kept: on this page, in this tab, on this site.
const PAGE: u8 = Shelf::Page as u8;
const TAB: u8 = Shelf::Tab as u8;
const SITE: u8 = Shelf::Site as u8;

/// How a destination was last seen.
#[derive(Clone, Copy, Default)]
struct Found {
    state: State,
    /// Whether its script could not be loaded.
    blocked: bool,
    /// Since when it is looked for in vain, in ms of the steady clock.
    missing_since: Option<f64>,
    /// How long it was looked for, in ms.
    waited: f64,
}

/// Everything we know on this page. It lives as long as the page.
#[derive(Default)]
struct Tracker {
    options: RefCell<Rc<Options>>,
    outbox: RefCell<Option<Outbox>>,
    /// Decisions that came before `init`.
    early: RefCell<Vec<(u32, Decision)>>,
    facts: RefCell<Facts>,
    session: RefCell<Option<Session>>,
    /// When the timer is due that is set, in ms of the steady clock.
    due: Cell<Option<f64>>,
    /// The page's own id, which begins with the time it was opened.
    page: String,
    queries: RefCell<String>,
    decisions: Cell<u32>,
    initialized: Cell<bool>,
    started: Cell<bool>,
    running: Cell<bool>,
    asked: Cell<Option<bool>>,
    signals_at: Cell<f64>,
    found: [Cell<Found>; Destination::ALL.len()],
    /// By which entrances decisions of a source came: two bits for each.
    entrances: Cell<u32>,
    /// Up to this number decisions were of instances that died on this page.
    first: u32,
}

thread_local! {
    static TRACKER: Cell<Option<&'static Tracker>> = const { Cell::new(None) };
}

/// Makes the tracker. The page keeps its id when an instance dies.
pub fn wake(first: u32) {
    let mut page = page::read(PAGE, "page");
    if page.is_empty() {
        page = join(&[&decimal(page::now().wall), "-", &page::random()]);
        page::write(PAGE, "page", &page);
    }
    let tracker = Tracker { page, first, signals_at: Cell::new(f64::NEG_INFINITY), ..Tracker::default() };
    tracker.decisions.set(first);
    tracker.facts.borrow_mut().visitor = page::random();
    TRACKER.set(Some(Box::leak(Box::new(tracker))));
}

/// The tracker of this page. The shell makes it before it calls anything else.
#[inline(never)]
fn it() -> &'static Tracker {
    if TRACKER.get().is_none() {
        wake(0);
    }
    match TRACKER.get() {
        Some(tracker) => tracker,
        None => it(),
    }
}

impl Tracker {
    fn options(&self) -> Rc<Options> {
        Rc::clone(&self.options.borrow())
    }

    fn consent(&self) -> Consent {
        match self.asked.get() {
            _ if !self.options.borrow().require_consent() => Consent::Granted,
            None => Consent::Unknown,
            Some(true) => Consent::Granted,
            Some(false) => Consent::Denied,
        }
    }
}

/// Takes the options; false when that was done before. On a page that is being prerendered
/// everything starts when it is activated.
pub fn init(options: Options) -> bool {
    let tracker = it();
    if tracker.initialized.replace(true) {
        return false;
    }
    if options.debug() {
        page::tell("debug", 0, "");
    }
    *tracker.options.borrow_mut() = Rc::new(options);
    if fact(&page::facts(""), page::Facts::Prerendering).is_empty() {
        start();
    }
    true
}

fn start() {
    let tracker = it();
    if !tracker.initialized.get() || tracker.started.replace(true) {
        return;
    }
    let options = tracker.options();
    *tracker.outbox.borrow_mut() = Some(Outbox::new(Rc::clone(&options), page::now()));
    // What starts now runs as one, so that what Optimizely's state knows of a decision joins it
    // before it leaves.
    tracker.running.set(true);
    open_stores();
    learn(true);
    take_over();
    for (id, decision) in tracker.early.take() {
        take_in(id, decision);
    }
    load_segment(&options);
    sources::find(&options);
    tracker.running.set(false);
    run();
    serve();
}

/// Lets run what runs beside the decisions, as long as we may.
fn serve() {
    let granted = it().consent() == Consent::Granted;
    page::serve(&if granted { it().options().shown().json() } else { String::new() });
}

/// What the experiment tool is to be told of an analytics event.
pub fn forward(event: &JsValue) -> String {
    commands(event, &it().options())
}

/// Loads analytics.js where a write key asks for it, as soon as we may.
fn load_segment(options: &Options) {
    if !options.write_key().is_empty() && it().consent() == Consent::Granted {
        page::load_segment(options.write_key(), options.cdn_url());
    }
}

/// Opens the browser's storages, as soon as we may.
fn open_stores() {
    let tracker = it();
    if tracker.consent() != Consent::Granted {
        return;
    }
    if !page::open(true) {
        warn("storage is blocked: nothing can be remembered for the next page");
    }
    let name = store::name(&["visitor"]);
    let known = page::read(SITE, &name);
    if known.is_empty() || known.len() > 64 {
        let visitor = tracker.facts.borrow().visitor.clone();
        page::write(SITE, &name, &visitor);
    } else {
        tracker.facts.borrow_mut().visitor = known;
    }
}

/// Takes over what dead instances on this page left, and earlier pages: those that said goodbye, and
/// those that left something untouched for so long that they cannot be alive.
fn take_over() {
    let tracker = it();
    if tracker.consent() != Consent::Granted {
        return;
    }
    let now = page::now().wall;
    let names = page::names(SITE, &store::name(&["out/"]));
    for name in names.split(UNIT).filter(|name| !name.is_empty()) {
        let holder = store::holder(name);
        let item = Item::from_record(&page::read(SITE, name));
        let old = |item: &Item| now - item.received_at > store::ABANDONED_MS;
        let said_goodbye = !page::read(SITE, &store::name(&["left/", holder])).is_empty();
        let number = name.rsplit('/').next().and_then(whole).unwrap_or_default();
        let free = if holder == tracker.page {
            number <= f64::from(tracker.first)
        } else {
            said_goodbye || item.as_ref().is_none_or(old)
        };
        if !free {
            continue;
        }
        page::remove(SITE, name);
        if let Some(mut item) = item {
            item.id = came(&item.decision);
            handle(Input::Carried(item));
        }
    }
    for name in page::names(SITE, &store::name(&["left/"])).split(UNIT) {
        page::remove(SITE, name);
    }
}

/// A decision came in from a source.
pub fn decide(mut decision: Decision) {
    let tracker = it();
    let facts = page::facts("");
    for (text, place) in [
        (Text::PageUrl, page::Facts::Url),
        (Text::PagePath, page::Facts::Path),
        (Text::PageTitle, page::Facts::Title),
    ] {
        decision.set(text, fact(&facts, place));
    }
    let id = came(&decision);
    if decision.refused == Some(Verdict::Invalid) {
        page::tell("error", 0, decision.get(Text::Refusal));
    }
    if tracker.started.get() {
        learn(false);
        take_in(id, decision);
        run();
    } else if tracker.early.borrow().len() < LIMIT {
        tracker.early.borrow_mut().push((id, decision));
    } else {
        finish(id, Verdict::Expired, "too many decisions came before `init`");
    }
}

/// Gives a decision its number, and tells that it came.
fn came(decision: &Decision) -> u32 {
    let id = it().decisions.get() + 1;
    it().decisions.set(id);
    page::tell("decision", id, &decision.shown().json());
    if decision.shortened {
        page::tell("step", id, "what was longer than 512 characters was cut");
    }
    id
}

fn take_in(id: u32, decision: Decision) {
    let is_id = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = decision.first_of(&[Text::ExperimentName, Text::ExperimentKey], decision.experiment());
    if decision.refused.is_none() && is_id(name) {
        warn(&join(&["experiment ", name, " has no readable name, only its id"]));
    }
    let memory = recall(&decision.key());
    handle(Input::Decided(id, decision, memory));
}

/// Gives the outbox an event.
#[inline(never)]
fn handle(input: Input) {
    let now = page::now();
    if let Some(outbox) = &mut *it().outbox.borrow_mut() {
        outbox.handle(now, input);
    }
}

/// Does what the outbox asks until it asks no more. Page code that is called from here and calls
/// back only adds to what this run will do.
fn run() {
    run_for(SLICE_MS);
}

/// The same, for so many ms at most: then the page gets its turn, and a timer goes on. What is soon
/// done is done at once, however slow the machine.
fn run_for(most: f64) {
    const SOON_DONE: u32 = 50;
    let tracker = it();
    if tracker.running.replace(true) {
        return;
    }
    let until = page::now().steady + most;
    let mut done = 0;
    let more = loop {
        let now = page::now();
        done += 1;
        if done > SOON_DONE && now.steady > until {
            break true;
        }
        let effect = tracker.outbox.borrow_mut().as_mut().and_then(|outbox| outbox.poll(now));
        match effect {
            Some(effect) => perform(effect),
            None => break false,
        }
    };
    tracker.running.set(false);
    set_timer(more);
}

fn perform(effect: Effect) {
    let tracker = it();
    match effect {
        Effect::Store(id, record) => page::write(SITE, &store::item_name(&tracker.page, id), &record),
        Effect::Erase(id) => page::remove(SITE, &store::item_name(&tracker.page, id)),
        Effect::Look(destination) => {
            let state = look_for(destination);
            handle(Input::Found(destination, state));
        }
        Effect::Recall(id, destination, key) => {
            let memory = recall(&key);
            handle(Input::Recalled(id, destination, memory));
        }
        Effect::Send(sending) => send(&sending),
        Effect::Remember(key, destination, mark) => {
            rewrite(&key, |memory| memory.remember(destination, mark));
        }
        Effect::Forget(key, destination, mark) => {
            rewrite(&key, |memory| memory.forget(destination, &mark));
        }
        Effect::Release => page::write(SITE, &store::name(&["left/", &tracker.page]), "1"),
        Effect::Purge => {
            // Earlier pages may have stored what this one never opened.
            page::open(true);
            for shelf in [TAB, SITE] {
                for name in page::names(shelf, store::PREFIX).split(UNIT) {
                    page::remove(shelf, name);
                }
            }
            page::open(false);
            tracker.session.replace(None);
        }
        Effect::Trace(id, step) => trace(id, &step),
        Effect::Ended(id, verdict, why) => finish(id, verdict, &why),
    }
}

fn look_for(destination: Destination) -> State {
    let mut found = seen(destination);
    let told = page::window().pick(destination.paths(), "");
    let state = destination.state(&told, found.blocked);
    if destination == Destination::Segment && segment::is_foreign(&told, state) {
        warn("window.analytics is not Segment's analytics.js: it is told the same way");
    }
    let ready = matches!(state, State::Ready { .. });
    let now = page::now().steady;
    if ready && let Some(since) = found.missing_since {
        found.waited = now - since;
    }
    found.missing_since = (!ready).then_some(found.missing_since.unwrap_or(now));
    found.state = state;
    see(destination, found);
    state
}

fn seen(destination: Destination) -> Found {
    it().found.get(destination as usize).map(Cell::get).unwrap_or_default()
}

fn see(destination: Destination, found: Found) {
    if let Some(slot) = it().found.get(destination as usize) {
        slot.set(found);
    }
}

fn send(sending: &Sending) {
    let stub = seen(sending.destination).state == State::Stub;
    let time = page::iso(sending.decision.decided_at);
    let facts = page::facts("");
    let mut event = spell(sending, &it().options(), &time, fact(&facts, page::Facts::Url));
    if sending.destination == Destination::Segment && it().options.borrow().identify() {
        event.user.text("period", &it().facts.borrow().period);
    }
    let answer = page::send(
        sending.destination.name(),
        &event.name,
        &event.properties.json(),
        &event.options.json(),
        &event.user.json(),
        sending.id,
        stub,
    );
    let call = match answer.strip_prefix('!') {
        Some(error) => Call::Threw(error.to_owned()),
        None if answer.is_empty() => Call::Returned,
        None => Call::WillConfirm,
    };
    handle(Input::Called(sending.id, sending.destination, call));
}

/// The destination of this name took charge of the decision with this number.
pub fn confirmed(destination: &str, number: &str) {
    let id = whole(number).unwrap_or_default() as u32;
    if let Some(destination) = Destination::named(destination) {
        handle(Input::Confirmed(id, destination));
        run();
        diagnosis::warn_of_native();
    }
}

/// What was last handed over for a dedupe key.
fn recall(key: &str) -> Memory {
    let entry = page::read(memory_shelf(), &store::name(&["seen/", key]));
    Memory::parse(&entry, &it().facts.borrow().period)
}

/// Changes what is remembered for a dedupe key.
fn rewrite(key: &str, change: impl FnOnce(&mut Memory)) {
    let mut memory = recall(key);
    change(&mut memory);
    let entry = memory.entry(&it().facts.borrow().period);
    page::write(memory_shelf(), &store::name(&["seen/", key]), &entry);
}

fn memory_shelf() -> u8 {
    it().options.borrow().dedupe().shelf() as u8
}

fn fact(facts: &str, place: page::Facts) -> &str {
    facts.split(UNIT).nth(place as usize).unwrap_or_default()
}

/// Something happened that makes another look worth while.
pub fn look_again() {
    let tracker = it();
    if tracker.started.get() {
        learn(false);
        sources::find(&tracker.options());
        handle(Input::Tick);
        run();
    }
}

/// The page asks for an attempt now, also at what a destination threw at before.
pub fn flush() {
    handle(Input::Flush);
    look_again();
}

/// One timer serves all; it is set when the outbox wants one earlier than it is, or when the one
/// that was set is long overdue: the page's own `setTimeout` may never call us.
fn set_timer(more: bool) {
    const OVERDUE_MS: f64 = 1000.0;
    let tracker = it();
    let now = page::now().steady;
    let wanted = tracker.outbox.borrow().as_ref().and_then(Outbox::wake_in);
    let wake_in = if more { Some(0.0) } else { wanted };
    let due = wake_in.map(|ms| now + ms);
    let set = tracker.due.get().filter(|set| now - set < OVERDUE_MS);
    if set != due && (due.is_none() || set.is_none() || set > due) {
        tracker.due.set(due);
        page::wake(wake_in);
    }
}

/// The timer called.
pub fn woken() {
    it().due.set(None);
    look_again();
}

/// Something happened to the page: `name` names the destination whose script was blocked.
pub fn happened(what: &str, name: &str) {
    let tracker = it();
    match what {
        "activated" => start(),
        "blocked" => {
            if let Some(destination) = Destination::named(name) {
                see(destination, Found { blocked: true, ..seen(destination) });
                warn(&join(&["the script of ", name, " could not be loaded: blocked, or not there"]));
                look_again();
            }
        }
        _ if !tracker.started.get() => {}
        "hidden" => {
            learn(false);
            handle(Input::Leaving);
            run_for(f64::INFINITY);
        }
        _ => {
            page::remove(SITE, &store::name(&["left/", &tracker.page]));
            handle(Input::Returned);
            look_again();
        }
    }
}

/// The visitor agreed, or refused. Once refused, what was held is gone; a later agreement counts
/// for what comes then.
pub fn consent(granted: bool) {
    let tracker = it();
    let before = tracker.consent();
    tracker.asked.set(Some(granted));
    if tracker.initialized.get() && !tracker.options().require_consent() {
        warn("consent: says nothing without the option `requireConsent`");
    }
    if !tracker.started.get() {
        return;
    }
    let opens = tracker.consent() == Consent::Granted && before != Consent::Granted;
    if opens {
        open_stores();
    }
    learn(true);
    if opens {
        take_over();
        load_segment(&tracker.options());
    }
    serve();
    look_again();
}

fn trace(id: u32, step: &Step) {
    page::tell("step", id, &step.told());
    match step {
        Step::Parked => warn_of_parking(),
        Step::Threw(..) => page::tell("error", 0, &step.told()),
        _ => {}
    }
}

fn warn_of_parking() {
    let options = it().options();
    let missing = |it: &Destination| seen(*it).state == State::Missing;
    // Of those that were only looked for, nobody misses one when another is there.
    if options.finds_destinations() && options.destinations().all(|it| missing(&it)) {
        warn("no analytics tool was found within maxWaitMs: decisions wait for the next page");
        return;
    }
    for destination in options.destinations().filter(|it| !(options.finds_destinations() && missing(it))) {
        let why = match seen(destination).state {
            State::Missing => " was not found within maxWaitMs: decisions wait for the next page",
            State::Failed => " is disabled or could not be loaded: decisions wait for the next page",
            State::Stub => {
                " is still a stub after maxWaitMs, its script may be blocked: what it queued is offered \
                 again on the next page"
            }
            State::Ready { .. } => continue,
        };
        warn(&join(&[destination.name(), why]));
    }
}

fn finish(id: u32, verdict: Verdict, why: &str) {
    page::tell(verdict.name(), id, why);
    if why == FULL {
        warn(&join(&[
            "more than ",
            &decimal(LIMIT as f64),
            " decisions wait: those that come now are dropped",
        ]));
    }
}

/// Tells of something that may cost data: once on the console, and in the report.
pub fn warn(text: &str) {
    page::tell("warning", 0, text);
}
