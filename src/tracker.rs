//! The tracker: drives the outbox with what the page tells, and does what the outbox asks. It has
//! no rules of its own.
//!
//! Nothing here is borrowed while page code runs: each step takes what it needs, lets go, and only
//! then calls. Page code that calls back in the meantime finds everything usable, and what it
//! brings is dealt with by the run that is under way.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;

use crate::decision::{Decision, Text, Verdict};
use crate::destination::{self, Destination, State, segment};
use crate::gate::{Consent, Facts};
use crate::js::page::{self, Loud, Store, Timer};
use crate::options::{Dedupe, Options};
use crate::outbox::{Effect, Input, LIMIT, Now, Outbox, Sending, Step};
use crate::parcel::Item;
use crate::report::Report;
use crate::signal::{self, Shown, cookie};
use crate::source::Source;
use crate::source::optimizely_web::{REDIRECT_COOKIE, attach};
use crate::store::{self, Memory, Session};
use crate::value::{Fields, decimal, join};
use crate::view::View;

mod diagnosis;

pub use diagnosis::diagnose;

/// How often the page is searched for preview and QA signals at most, in ms.
const SIGNALS_MS: f64 = 1000.0;

/// Everything we know on this page. It lives as long as the page.
struct Tracker {
    options: RefCell<Rc<Options>>,
    outbox: RefCell<Option<Outbox>>,
    report: RefCell<Report>,
    /// Decisions that came before `init`.
    early: RefCell<Vec<(u32, Decision)>>,
    facts: RefCell<Facts>,
    session: RefCell<Option<Session>>,
    handlers: RefCell<Vec<(u32, &'static str, Function)>>,
    timer: RefCell<Option<(f64, Timer)>>,
    confirmed: RefCell<Option<Function>>,
    /// On this page, in this tab, in this browser.
    stores: RefCell<Rc<[Store; 3]>>,
    page: String,
    search: RefCell<String>,
    last_handler: Cell<u32>,
    initialized: Cell<bool>,
    started: Cell<bool>,
    running: Cell<bool>,
    asked: Cell<Option<bool>>,
    signals_at: Cell<f64>,
    missing_since: Cell<f64>,
    blocked: Cell<bool>,
    state: Cell<State>,
    /// Whether Optimizely's decisions came by its callback, and by its events.
    entrances: Cell<(bool, bool)>,
    /// Whether an earlier instance on this page has died.
    again: bool,
}

/// Where something is kept.
#[derive(Clone, Copy)]
enum Shelf {
    Page,
    Tab,
    Site,
}

thread_local! {
    static TRACKER: Cell<Option<&'static Tracker>> = const { Cell::new(None) };
}

/// Makes the tracker.
pub fn wake(again: bool) {
    let page = join(&[&decimal(page::now().wall as u64), "-", &page::random()]);
    let tracker = Tracker {
        options: RefCell::default(),
        outbox: RefCell::default(),
        report: RefCell::default(),
        early: RefCell::default(),
        facts: RefCell::new(Facts { visitor: page::random(), ..Facts::default() }),
        session: RefCell::default(),
        handlers: RefCell::default(),
        timer: RefCell::default(),
        confirmed: RefCell::default(),
        stores: RefCell::new(memory_only()),
        page,
        search: RefCell::default(),
        last_handler: Cell::new(0),
        initialized: Cell::new(false),
        started: Cell::new(false),
        running: Cell::new(false),
        asked: Cell::new(None),
        signals_at: Cell::new(f64::NEG_INFINITY),
        missing_since: Cell::new(f64::NAN),
        blocked: Cell::new(false),
        state: Cell::new(State::Missing),
        entrances: Cell::new((false, false)),
        again,
    };
    TRACKER.set(Some(Box::leak(Box::new(tracker))));
}

/// The tracker of this page. The shell makes it before it calls anything else.
#[inline(never)]
fn it() -> &'static Tracker {
    if TRACKER.get().is_none() {
        wake(false);
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

    fn store(&self, shelf: Shelf) -> Rc<[Store; 3]> {
        let _ = shelf;
        Rc::clone(&self.stores.borrow())
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

fn memory_only() -> Rc<[Store; 3]> {
    Rc::new([Store::open(""), Store::open(""), Store::open("")])
}

/// The entry under this name, kept there; empty when there is none.
#[inline(never)]
fn read(shelf: Shelf, name: &str) -> String {
    let [page, tab, site] = &*it().store(shelf);
    pick(shelf, page, tab, site).read(name)
}

#[inline(never)]
fn write(shelf: Shelf, name: &str, entry: &str) {
    let [page, tab, site] = &*it().store(shelf);
    pick(shelf, page, tab, site).write(name, entry);
}

#[inline(never)]
fn remove(shelf: Shelf, name: &str) {
    let [page, tab, site] = &*it().store(shelf);
    pick(shelf, page, tab, site).remove(name);
}

fn names(shelf: Shelf) -> Vec<String> {
    let [page, tab, site] = &*it().store(shelf);
    pick(shelf, page, tab, site).names()
}

fn pick<'a>(shelf: Shelf, page: &'a Store, tab: &'a Store, site: &'a Store) -> &'a Store {
    match shelf {
        Shelf::Page => page,
        Shelf::Tab => tab,
        Shelf::Site => site,
    }
}

/// Takes the options; false when that was done before. On a page that is being prerendered
/// everything starts when it is activated.
pub fn init(options: Options) -> bool {
    let tracker = it();
    if tracker.initialized.replace(true) {
        return false;
    }
    *tracker.options.borrow_mut() = Rc::new(options);
    if page::document("prerendering").is_true() {
        page::listen("document", "prerenderingchange", |_| start());
    } else {
        start();
    }
    true
}

fn start() {
    let tracker = it();
    if tracker.started.replace(true) {
        return;
    }
    let options = tracker.options();
    let confirmed = page::function(|number| {
        handle(Input::Confirmed(number.number() as u32, Destination::Segment));
        run();
    });
    *tracker.confirmed.borrow_mut() = Some(confirmed);
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
    segment::load(options.write_key(), options.cdn_url());
    attach::find(&options);
    tracker.running.set(false);
    run();
    listen();
}

/// Opens the browser's storages, as soon as we may.
fn open_stores() {
    let tracker = it();
    if tracker.consent() != Consent::Granted {
        return;
    }
    let stores = [Store::open(""), Store::open("sessionStorage"), Store::open("localStorage")];
    let lasting = stores.iter().skip(1).all(Store::is_lasting);
    *tracker.stores.borrow_mut() = Rc::new(stores);
    let name = store::name(&["visitor"]);
    let known = read(Shelf::Site, &name);
    if known.is_empty() || known.len() > 64 {
        let visitor = tracker.facts.borrow().visitor.clone();
        write(Shelf::Site, &name, &visitor);
    } else {
        tracker.facts.borrow_mut().visitor = known;
    }
    if !lasting {
        warn("storage is blocked: nothing can be remembered for the next page");
    }
}

/// Takes over what earlier pages left: those that said goodbye, and those that left something
/// untouched for so long that they cannot be alive.
fn take_over() {
    let tracker = it();
    if tracker.consent() != Consent::Granted {
        return;
    }
    let now = page::now().wall;
    let all = names(Shelf::Site);
    for name in &all {
        let Some(holder) = store::holder(name) else { continue };
        let full = store::name(&[name]);
        let item = Item::from_record(&read(Shelf::Site, &full));
        let old = |item: &Item| now - item.received_at > store::ABANDONED_MS;
        let said_goodbye = all.iter().any(|name| name.strip_prefix("left/") == Some(holder));
        let free = said_goodbye || tracker.again || item.as_ref().is_none_or(old);
        if holder == tracker.page || !free {
            continue;
        }
        remove(Shelf::Site, &full);
        if let Some(mut item) = item {
            item.id = tracker.report.borrow_mut().open(&item.decision, item.received_at);
            handle(Input::Carried(item));
        }
    }
    for name in all.iter().filter(|name| name.starts_with("left/")) {
        remove(Shelf::Site, &store::name(&[name]));
    }
}

/// A decision came in from a source.
pub fn decide(mut decision: Decision) {
    let tracker = it();
    for text in [Text::PageUrl, Text::PagePath, Text::PageTitle] {
        decision.set(text, &page::here(text));
    }
    if decision.source == Source::OptimizelyWeb {
        let (callback, event) = tracker.entrances.get();
        tracker.entrances.set((callback || !decision.may_redirect, event || decision.may_redirect));
    }
    let id = tracker.report.borrow_mut().open(&decision, page::now().wall);
    tell_of("decision", id);
    log(id, "came in");
    if decision.refused == Some(Verdict::Invalid) {
        crate::js::mistake(decision.get(Text::Refusal));
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
    let tracker = it();
    if tracker.running.replace(true) {
        return;
    }
    loop {
        let now = page::now();
        let effect = tracker.outbox.borrow_mut().as_mut().and_then(|outbox| outbox.poll(now));
        match effect {
            Some(effect) => perform(effect),
            None => break,
        }
    }
    tracker.running.set(false);
    set_timer();
}

fn perform(effect: Effect) {
    let tracker = it();
    match effect {
        Effect::Store(id, record) => write(Shelf::Site, &store::item_name(&tracker.page, id), &record),
        Effect::Erase(id) => remove(Shelf::Site, &store::item_name(&tracker.page, id)),
        Effect::Look(Destination::Segment) => {
            let state = segment::look(tracker.blocked.get());
            tracker.state.set(state);
            let ready = matches!(state, State::Ready { .. });
            if ready || tracker.missing_since.get().is_nan() {
                tracker.missing_since.set(if ready { f64::NAN } else { page::now().steady });
            }
            handle(Input::Found(Destination::Segment, state));
        }
        Effect::Recall(id, destination, key) => {
            let memory = recall(&key);
            handle(Input::Recalled(id, destination, memory));
        }
        Effect::Send(sending) => send(&sending),
        Effect::Remember(key, destination, mark) => {
            let mut memory = recall(&key);
            memory.set(destination, mark);
            let period = tracker.facts.borrow().period.clone();
            write(memory_shelf(), &store::name(&["seen/", &key]), &memory.entry(&period));
        }
        Effect::Release => {
            let pending = tracker.outbox.borrow().as_ref().is_some_and(|outbox| outbox.pending() > 0);
            if pending {
                write(Shelf::Site, &store::name(&["left/", &tracker.page]), "1");
            }
        }
        Effect::Purge => purge(),
        Effect::Trace(id, step) => trace(id, step),
        Effect::Ended(id, verdict, why) => finish(id, verdict, &why),
    }
}

fn send(sending: &Sending) {
    let tracker = it();
    let time = page::iso(sending.decision.decided_at);
    let event = destination::event(&sending.decision, sending.marks, &tracker.options(), &time);
    let confirmed = tracker.confirmed.borrow().clone();
    if let Some(confirmed) = confirmed {
        let call = segment::send(event, sending, &time, &confirmed);
        handle(Input::Called(sending.id, sending.destination, call));
    }
}

/// What was last handed over for a dedupe key.
fn recall(key: &str) -> Memory {
    let entry = read(memory_shelf(), &store::name(&["seen/", key]));
    Memory::parse(&entry, &it().facts.borrow().period)
}

fn memory_shelf() -> Shelf {
    match it().options.borrow().dedupe() {
        Dedupe::Page | Dedupe::None => Shelf::Page,
        Dedupe::Tab => Shelf::Tab,
        Dedupe::Session | Dedupe::Visitor => Shelf::Site,
    }
}

/// Finds out what the outbox has to know about the page. The search for signals is repeated when
/// the address changes, and from time to time.
fn learn(search_now: bool) {
    let tracker = it();
    let now = page::now();
    let options = tracker.options();
    let consent = tracker.consent();
    let period = period(&options, now);
    let cookies = page::cookies();
    let search = page::location("search");
    let moved = tracker.search.replace(search.clone()) != search;
    let mut facts = tracker.facts.borrow().clone();
    if search_now || moved || now.steady - tracker.signals_at.get() > SIGNALS_MS {
        tracker.signals_at.set(now.steady);
        let search = page::queries();
        let session = in_session();
        let shown = Shown { search: &search, cookies: &cookies, session: &session };
        facts.qa = remembered("qa", signal::qa(&shown, &options.qa_signals));
        facts.preview = remembered("preview", signal::preview(&shown));
        if facts.qa.starts_with("optimizely_force_tracking") {
            facts.preview.clear();
        }
    }
    cookie(&cookies, REDIRECT_COOKIE).clone_into(&mut facts.redirect);
    if facts.project.is_empty() {
        let key = options.write_key();
        facts.project = if key.is_empty() { page::location("host") } else { key.to_owned() };
    }
    facts.period = period;
    facts.consent = consent;
    let changed = *tracker.facts.borrow() != facts || search_now;
    if changed {
        tracker.facts.replace(facts.clone());
        handle(Input::Facts(facts));
    }
}

/// A signal counts for the rest of the tab's life, also where only the first page shows it.
fn remembered(kind: &str, found: String) -> String {
    let name = store::name(&[kind]);
    let before = read(Shelf::Tab, &name);
    if found.is_empty() {
        return before;
    }
    if before != found {
        write(Shelf::Tab, &name, &found);
    }
    found
}

/// What stands in sessionStorage of the tools' own signals, in the form of a cookie string.
fn in_session() -> String {
    let mut shown = String::new();
    if it().consent() == Consent::Granted {
        let session = page::global("sessionStorage");
        for name in signal::session_names() {
            let value = session.get(name).string();
            if !value.is_empty() {
                shown += &join(&[name, "=", &value, ";"]);
            }
        }
    }
    shown
}

/// What the dedupe scope calls one period: continues the running session, or begins one.
fn period(options: &Options, now: Now) -> String {
    let tracker = it();
    let (shelf, timeout) = match options.dedupe() {
        Dedupe::Visitor => return "visitor".to_owned(),
        Dedupe::Session if tracker.consent() == Consent::Granted => {
            (Shelf::Site, options.session_timeout_ms())
        }
        Dedupe::Tab if tracker.consent() == Consent::Granted => (Shelf::Tab, f64::MAX),
        _ => return tracker.page.clone(),
    };
    // Every page and decision counts, but not each has to be written down to the millisecond.
    let slack = (timeout / 10.0).min(30_000.0);
    if let Some(session) = &*tracker.session.borrow()
        && now.wall >= session.last
        && now.wall - session.last < slack
    {
        return session.id.clone();
    }
    let name = store::name(&["session"]);
    let running = Session::running(&read(shelf, &name), now.wall, timeout);
    let begins = running.is_none();
    let session = Session { id: running.unwrap_or_else(page::random), last: now.wall };
    write(shelf, &name, &session.entry());
    if begins {
        for name in names(shelf).iter().filter(|name| name.starts_with("seen/")) {
            remove(shelf, &store::name(&[name]));
        }
    }
    let id = session.id.clone();
    tracker.session.replace(Some(session));
    id
}

/// Something happened that makes another look worth while.
pub fn look_again() {
    let tracker = it();
    if tracker.started.get() {
        learn(false);
        attach::find(&tracker.options());
        handle(Input::Tick);
        run();
    }
}

/// One timer serves all; it is set when the outbox wants one earlier than it is.
fn set_timer() {
    let tracker = it();
    let now = page::now().steady;
    let wake_in = tracker.outbox.borrow().as_ref().and_then(Outbox::wake_in);
    let set = tracker.timer.borrow().as_ref().map(|(due, _)| *due);
    let due = wake_in.map(|ms| now + ms);
    if due.is_some() && set.is_some() && set <= due {
        return;
    }
    let old = tracker.timer.take();
    drop(old);
    if let Some(ms) = wake_in {
        let timer = page::after(ms, || {
            let spent = it().timer.take();
            drop(spent);
            look_again();
        });
        tracker.timer.replace(Some((now + ms, timer)));
    }
}

fn listen() {
    const WAKE: [(&str, &str); 6] = [
        ("window", "pagehide"),
        ("window", "pageshow"),
        ("window", "load"),
        ("window", "error"),
        ("document", "DOMContentLoaded"),
        ("document", "visibilitychange"),
    ];
    for (target, name) in WAKE {
        page::listen(target, name, move |event| happened(name, &event));
    }
}

fn happened(name: &str, event: &js_sys::wasm_bindgen::JsValue) {
    let tracker = it();
    match name {
        "pagehide" => {
            learn(false);
            handle(Input::Leaving);
            run();
        }
        "pageshow" if event.get("persisted").is_true() => {
            remove(Shelf::Site, &store::name(&["left/", &tracker.page]));
            handle(Input::Returned);
            look_again();
        }
        "error" if segment::is_script(event) => {
            tracker.blocked.set(true);
            warn("analytics.js could not be loaded: blocked, or not there");
            look_again();
        }
        "error" => {}
        "load" if !page::is_script_or_page(event) => {}
        _ => look_again(),
    }
}

/// The visitor agreed, or refused. Once refused, what was held is gone; a later agreement counts
/// for what comes then.
pub fn consent(granted: bool) {
    let tracker = it();
    let before = tracker.consent();
    tracker.asked.set(Some(granted));
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
    }
    look_again();
}

/// Removes everything that was ever stored.
fn purge() {
    for place in ["sessionStorage", "localStorage"] {
        let place = Store::open(place);
        for name in place.names() {
            place.remove(&store::name(&[&name]));
        }
    }
    it().stores.replace(memory_only());
    it().session.replace(None);
}

fn trace(id: u32, step: Step) {
    let tracker = it();
    log(id, &step.told());
    match &step {
        Step::Parked => warn(match tracker.state.get() {
            State::Missing => "segment was not found within maxWaitMs: decisions wait for the next page",
            State::Failed => "segment is disabled or could not be loaded: decisions wait for the next page",
            _ => {
                "segment is still a stub after maxWaitMs, analytics.js may be blocked: \
                 what it queued is offered again on the next page"
            }
        }),
        Step::Threw(destination, error) => {
            crate::js::mistake(&join(&[destination.name(), ": `track` threw: ", error]));
        }
        _ => {}
    }
    tracker.report.borrow_mut().step(id, step, page::now().wall);
}

fn finish(id: u32, verdict: Verdict, why: &str) {
    it().report.borrow_mut().end(id, verdict, why);
    log(id, &join(&[verdict.name(), ": ", why]));
    tell_of(if verdict == Verdict::Delivered { "delivered" } else { "dropped" }, id);
}

/// Logs a step, when `debug` is on.
#[inline(never)]
fn log(id: u32, step: &str) {
    if !it().options.borrow().debug() {
        return;
    }
    let shown = it().report.borrow_mut().shown(id);
    let name = |what: [&str; 3]| {
        let names = what.map(|name| shown.text_of(name));
        names.into_iter().find(|name| !name.is_empty()).unwrap_or("?").to_owned()
    };
    let experiment = name(["experimentName", "experimentKey", "experimentId"]);
    let variation = name(["variationName", "variationKey", "variationId"]);
    let number = decimal(u64::from(id));
    let source = shown.text_of("source");
    page::say(
        Loud::Log,
        &join(&["#", &number, " ", source, " ", &experiment, " / ", &variation, " — ", step]),
    );
}

/// Tells of something that may cost data: once on the console, and in the report.
#[inline(never)]
pub fn warn(text: &str) {
    let now = page::now().wall;
    let new = it().report.borrow_mut().warn(text, now);
    if new {
        page::say(Loud::Warn, text);
    }
}

/// Notes a mistake in the report. Says whether it is a new one.
pub fn note_mistake(text: &str) -> bool {
    let now = page::now().wall;
    it().report.borrow_mut().error(text, now)
}

fn tell_of(event: &str, id: u32) {
    if it().handlers.borrow().is_empty() {
        return;
    }
    let shown = it().report.borrow_mut().shown(id);
    tell(event, shown);
}

/// Tells the page's handlers of an event.
pub fn tell(event: &str, fields: Fields) {
    let handlers = it().handlers.borrow().clone();
    let told = crate::value::Value::Object(fields);
    for (_, name, handler) in handlers {
        if name == event {
            page::invoke(&handler, &page::to_js(&told));
        }
    }
}

/// Adds a handler; gives its number, which is not 0.
pub fn subscribe(event: &'static str, handler: Function) -> u32 {
    let number = it().last_handler.get() + 1;
    it().last_handler.set(number);
    it().handlers.borrow_mut().push((number, event, handler));
    number
}

/// Takes a handler away.
pub fn unsubscribe(number: u32) {
    it().handlers.borrow_mut().retain(|(known, ..)| *known != number);
}
