//! The tracker: drives the outbox with what the page tells, and does what the outbox asks. It has
//! no rules of its own.
//!
//! Nothing here is borrowed while page code runs: each step takes what it needs, lets go, and only
//! then calls. Page code that calls back in the meantime finds everything usable, and what it
//! brings is dealt with by the run that is under way.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;

use crate::decision::{Decision, Verdict};
use crate::destination::{self, Destination, State, segment};
use crate::gate::{Consent, Facts};
use crate::js::page::{self, Loud, Store, Timer};
use crate::options::{Dedupe, Options};
use crate::outbox::{Effect, Input, LIMIT, Now, Outbox, Step};
use crate::parcel::Item;
use crate::report::Report;
use crate::signal::{self, Signals};
use crate::source::Source;
use crate::source::optimizely_web::{self, REDIRECT_COOKIE, attach};
use crate::store::{self, Memory, Session, Shelf};
use crate::value::{Fields, Value};

mod diagnosis;

pub use diagnosis::diagnose;

/// How often the page is searched for preview and QA signals at most, in ms.
const SIGNALS_MS: f64 = 1000.0;

struct Tracker {
    options: Option<Rc<Options>>,
    outbox: Option<Outbox>,
    report: Report,
    /// Decisions that came before `init`.
    early: Vec<(u32, Decision)>,
    consent: Option<bool>,
    handlers: Vec<(u32, &'static str, Function)>,
    last_handler: u32,
    timer: Option<(f64, Timer)>,
    running: bool,
    started: bool,
    stores: Rc<Stores>,
    page: String,
    visitor: String,
    session: Option<Session>,
    signals: Signals,
    signals_at: f64,
    search: String,
    first_query: String,
    waited_since: Option<f64>,
    /// Whether Optimizely's decisions came by its callback, and by its events.
    callback_seen: bool,
    event_seen: bool,
    blocked: bool,
    state: State,
    confirmed: Option<Function>,
}

/// Where things are kept: on this page, in this tab, in this browser.
pub struct Stores {
    page: Store,
    tab: Store,
    site: Store,
}

impl Stores {
    fn of(&self, shelf: Shelf) -> &Store {
        match shelf {
            Shelf::Page => &self.page,
            Shelf::Tab => &self.tab,
            Shelf::Site => &self.site,
        }
    }
}

thread_local! {
    static TRACKER: RefCell<Option<Tracker>> = const { RefCell::new(None) };
}

/// Lets `with` see the tracker, briefly: it must not call the page.
fn with<T>(body: impl FnOnce(&mut Tracker) -> T) -> Option<T> {
    TRACKER.with_borrow_mut(|tracker| tracker.as_mut().map(body))
}

/// Makes the tracker, once.
pub fn wake() {
    let now = page::now();
    let mut page = crate::value::decimal(now.wall as u64);
    page.push('-');
    page.push_str(&page::random());
    let stores = Stores { page: Store::memory(), tab: Store::memory(), site: Store::memory() };
    let tracker = Tracker {
        options: None,
        outbox: None,
        report: Report::default(),
        early: Vec::new(),
        consent: None,
        handlers: Vec::new(),
        last_handler: 0,
        timer: None,
        running: false,
        started: false,
        stores: Rc::new(stores),
        session: None,
        page,
        visitor: page::random(),
        signals: Signals::default(),
        signals_at: f64::NEG_INFINITY,
        search: String::new(),
        first_query: String::new(),
        waited_since: None,
        callback_seen: false,
        event_seen: false,
        blocked: false,
        state: State::Missing,
        confirmed: None,
    };
    TRACKER.with_borrow_mut(|slot| {
        slot.get_or_insert(tracker);
    });
}

/// Takes the options. On a page that is being prerendered everything starts when it is activated.
pub fn init(options: Options) -> bool {
    let options = Rc::new(options);
    let taken = with(|tracker| {
        let first = tracker.options.is_none();
        tracker.options.get_or_insert(options);
        first
    });
    if taken != Some(true) {
        return false;
    }
    if page::is_prerendering() {
        page::listen(true, "prerenderingchange", |_| start());
    } else {
        start();
    }
    true
}

fn start() {
    let Some(Some(options)) = with(|tracker| {
        let first = !std::mem::replace(&mut tracker.started, true);
        tracker.options.clone().filter(|_| first)
    }) else {
        return;
    };
    let now = page::now();
    let first_query = page::first_query();
    let confirmed = page::function(|name| {
        let id = name.as_f64().unwrap_or_default() as u32;
        handle(Input::Confirmed(id, Destination::Segment));
        run();
    });
    with(|tracker| {
        tracker.outbox = Some(Outbox::new(Rc::clone(&options), now));
        tracker.first_query = first_query;
        tracker.confirmed = Some(confirmed);
        // What starts now runs as one, so that what Optimizely's state knows of a decision joins
        // it before it leaves.
        tracker.running = true;
    });
    open_stores();
    learn(true);
    take_over();
    for (id, decision) in with(|tracker| std::mem::take(&mut tracker.early)).unwrap_or_default() {
        take_in(id, decision);
    }
    if let Some(key) = &options.write_key {
        segment::load(key, options.cdn_url.as_deref());
    }
    attach::find();
    with(|tracker| tracker.running = false);
    run();
    listen();
}

/// Opens the browser's storages, as soon as we may.
fn open_stores() {
    if !may_store() {
        return;
    }
    let (tab, site) = (Store::open("sessionStorage"), Store::open("localStorage"));
    let blocked = !site.is_lasting();
    let visitor = store::name(&["visitor"]);
    let known = site.read(&visitor).filter(|id| !id.is_empty() && id.len() <= 64);
    if known.is_none()
        && let Some(fresh) = with(|tracker| tracker.visitor.clone())
    {
        site.write(&visitor, &fresh);
    }
    with(|tracker| {
        tracker.stores = Rc::new(Stores { page: Store::memory(), tab, site });
        if let Some(known) = known {
            tracker.visitor = known;
        }
    });
    if blocked {
        warn("storage is blocked: nothing can be remembered for the next page");
    }
}

/// Whether anything may be stored, or read back.
fn may_store() -> bool {
    with(|tracker| tracker.consent_now() == Consent::Granted).unwrap_or(false)
}

impl Tracker {
    fn consent_now(&self) -> Consent {
        let required = self.options.as_ref().is_some_and(|options| options.require_consent);
        match self.consent {
            _ if !required => Consent::Granted,
            None => Consent::Unknown,
            Some(true) => Consent::Granted,
            Some(false) => Consent::Denied,
        }
    }
}

/// Takes over what earlier pages left, and sweeps away what they need no more.
fn take_over() {
    let Some((stores, own, true)) = with(|tracker| {
        (Rc::clone(&tracker.stores), tracker.page.clone(), tracker.consent_now() == Consent::Granted)
    }) else {
        return;
    };
    let now = page::now();
    let names = stores.site.names();
    let record =
        |name: &str| stores.site.read(&store::name(&[name])).and_then(|text| Item::from_record(&text));
    let is_old =
        |name: &str| record(name).is_none_or(|item| now.wall - item.received_at > store::ABANDONED_MS);
    for name in store::left_behind(&names, &own, is_old) {
        let item = record(name);
        stores.site.remove(&store::name(&[name]));
        if let Some(mut item) = item {
            if let Some(id) = with(|tracker| tracker.report.open(&item.decision, item.decision.decided_at)) {
                item.id = id;
            }
            handle(Input::Carried(item));
        }
    }
    for name in names.iter().filter(|name| name.starts_with("left/")) {
        stores.site.remove(&store::name(&[name]));
    }
}

/// A decision came in from a source.
pub fn decide(mut decision: Decision) {
    let now = page::now();
    decision.page = page::here();
    let id = with(|tracker| {
        let by_event = decision.may_redirect;
        tracker.event_seen |= by_event;
        tracker.callback_seen |= decision.source == Source::OptimizelyWeb && !by_event;
        tracker.report.open(&decision, now.wall)
    });
    let Some(id) = id else { return };
    let mut shown = decision.shown();
    shown.push(("verdict".to_owned(), Value::text("pending")));
    tell("decision", &shown);
    log(id, "came in");
    if let Some(crate::decision::Refusal::Invalid(fault)) = &decision.refusal {
        crate::js::mistake(fault);
    }
    let mut decision = Some(decision);
    let overflow = with(|tracker| {
        if tracker.outbox.is_some() {
            return false;
        }
        let room = tracker.early.len() < LIMIT;
        if room {
            tracker.early.extend(decision.take().map(|decision| (id, decision)));
        }
        !room
    });
    if overflow == Some(true) {
        finish(id, Verdict::Expired, "too many decisions came before `init`");
    } else if let Some(decision) = decision {
        learn(false);
        take_in(id, decision);
        run();
    }
}

fn take_in(id: u32, decision: Decision) {
    let experiment = &decision.experiment;
    let unnamed = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if decision.refusal.is_none() && unnamed(experiment.shown()) && unnamed(decision.variation.shown()) {
        warn(&["experiment ", experiment.identity(), " has no readable name, only ids"].concat());
    }
    let memory = recall(&decision.key());
    handle(Input::Decided(id, decision, memory));
}

/// Gives the outbox an event.
fn handle(input: Input) {
    let now = page::now();
    with(|tracker| {
        if let Some(outbox) = &mut tracker.outbox {
            outbox.handle(now, input);
        }
    });
}

/// Does what the outbox asks until it asks no more. Page code that is called from here and calls
/// back only adds to what this run will do.
pub fn run() {
    let idle = with(|tracker| tracker.outbox.is_some() && !std::mem::replace(&mut tracker.running, true));
    if idle != Some(true) {
        return;
    }
    loop {
        let now = page::now();
        let effect = with(|tracker| tracker.outbox.as_mut()?.poll(now)).flatten();
        match effect {
            Some(effect) => perform(effect),
            None => break,
        }
    }
    with(|tracker| tracker.running = false);
    set_timer();
}

fn perform(effect: Effect) {
    match effect {
        Effect::Store(id, record) => {
            if let Some((stores, name)) = own_item(id) {
                stores.site.write(&name, &record);
            }
        }
        Effect::Erase(id) => {
            if let Some((stores, name)) = own_item(id) {
                stores.site.remove(&name);
            }
        }
        Effect::Look(Destination::Segment) => look_for_segment(),
        Effect::Recall(id, destination, key) => {
            let memory = recall(&key);
            handle(Input::Recalled(id, destination, memory));
        }
        Effect::Send(sending) => {
            let options = with(|tracker| tracker.options.clone()).flatten();
            let confirmed = with(|tracker| tracker.confirmed.clone()).flatten();
            let (Some(options), Some(confirmed)) = (options, confirmed) else {
                return;
            };
            let event = destination::event(&sending.decision, sending.marks, &options);
            let call = segment::send(event, &sending, &confirmed);
            handle(Input::Called(sending.id, sending.destination, call));
        }
        Effect::Remember(key, destination, mark) => {
            let mut memory = recall(&key);
            memory.set(destination, mark);
            if let Some((stores, period, shelf)) = with(Tracker::memory_place) {
                stores.of(shelf).write(&store::name(&["seen/", &key]), &memory.entry(&period));
            }
        }
        Effect::Release => {
            let place = with(|tracker| (Rc::clone(&tracker.stores), tracker.left_name()));
            if let Some((stores, name)) = place.filter(|_| has_pending()) {
                stores.site.write(&name, "1");
            }
        }
        Effect::Purge => purge(),
        Effect::Trace(id, step) => trace(id, step),
        Effect::Ended(id, verdict, why) => finish(id, verdict, &why),
    }
}

fn has_pending() -> bool {
    with(|tracker| tracker.outbox.as_ref().is_some_and(|outbox| outbox.pending() > 0)) == Some(true)
}

fn own_item(id: u32) -> Option<(Rc<Stores>, String)> {
    with(|tracker| {
        let number = crate::value::decimal(u64::from(id));
        (Rc::clone(&tracker.stores), store::name(&["out/", &tracker.page, "/", &number]))
    })
}

fn look_for_segment() {
    let blocked = with(|tracker| tracker.blocked) == Some(true);
    let state = segment::look(blocked);
    let now = page::now();
    with(|tracker| {
        tracker.state = state;
        let ready = matches!(state, State::Ready { .. });
        tracker.waited_since = if ready { None } else { tracker.waited_since.or(Some(now.steady)) };
    });
    handle(Input::Found(Destination::Segment, state));
}

/// What was last handed over for a dedupe key.
fn recall(key: &str) -> Memory {
    let place = with(Tracker::memory_place);
    let entry =
        place.as_ref().and_then(|(stores, _, shelf)| stores.of(*shelf).read(&store::name(&["seen/", key])));
    match (entry, place) {
        (Some(entry), Some((_, period, _))) => Memory::parse(&entry, &period),
        _ => Memory::default(),
    }
}

impl Tracker {
    fn memory_place(&mut self) -> (Rc<Stores>, String, Shelf) {
        let dedupe = self.options.as_ref().map_or(Dedupe::Page, |options| options.dedupe);
        (Rc::clone(&self.stores), self.period(dedupe), dedupe.shelf())
    }

    /// What the dedupe scope calls one period.
    fn period(&self, dedupe: Dedupe) -> String {
        match dedupe {
            Dedupe::Page | Dedupe::None => self.page.clone(),
            Dedupe::Tab | Dedupe::Session => {
                self.session.as_ref().map_or_else(|| self.page.clone(), |session| session.id.clone())
            }
            Dedupe::Visitor => "visitor".to_owned(),
        }
    }

    fn left_name(&self) -> String {
        store::name(&["left/", &self.page])
    }
}

/// Finds out what the outbox has to know about the page. The search for signals is repeated when
/// the address changes, and from time to time.
fn learn(search_now: bool) {
    let now = page::now();
    let Some(Some((options, consent))) =
        with(|tracker| tracker.options.clone().map(|options| (options, tracker.consent_now())))
    else {
        return;
    };
    if consent == Consent::Granted {
        keep_session(&options, now);
    }
    let search = page::location("search");
    let due = with(|tracker| {
        let due = search_now || tracker.search != search || now.steady - tracker.signals_at > SIGNALS_MS;
        tracker.search.clone_from(&search);
        due
    });
    let cookies = page::document_text("cookie");
    if due == Some(true) {
        find_signals(&options, &search, &cookies, now);
    }
    let redirect = optimizely_web::cookie(&cookies, REDIRECT_COOKIE);
    let project = options.write_key.clone().unwrap_or_else(|| page::location("host"));
    let facts = with(|tracker| Facts {
        preview: tracker.signals.preview.clone(),
        qa: tracker.signals.qa.clone(),
        consent,
        redirect,
        visitor: tracker.visitor.clone(),
        project,
        period: tracker.period(options.dedupe),
    });
    if let Some(facts) = facts {
        handle(Input::Facts(facts));
    }
}

/// Continues the running session, or begins one.
fn keep_session(options: &Options, now: Now) {
    let place = match options.dedupe {
        Dedupe::Tab => with(|tracker| (Rc::clone(&tracker.stores), Shelf::Tab, f64::INFINITY)),
        Dedupe::Session => {
            with(|tracker| (Rc::clone(&tracker.stores), Shelf::Site, options.session_timeout_ms))
        }
        _ => None,
    };
    let Some((stores, shelf, timeout)) = place else {
        return;
    };
    // Every page and decision counts, but not each has to be written down to the millisecond.
    let slack = (timeout / 10.0).min(30_000.0);
    let known = with(|tracker| tracker.session.clone()).flatten();
    if known.is_some_and(|session| (0.0..slack).contains(&(now.wall - session.last))) {
        return;
    }
    let name = store::name(&["session"]);
    let entry = stores.of(shelf).read(&name);
    let running = Session::running(entry.as_deref(), now.wall, timeout);
    let begins = running.is_none();
    let id = running.map_or_else(page::random, |session| session.id);
    let session = Session { id, last: now.wall };
    stores.of(shelf).write(&name, &session.entry());
    with(|tracker| tracker.session = Some(session));
    if begins {
        for name in stores.of(shelf).names().iter().filter(|name| name.starts_with("seen/")) {
            stores.of(shelf).remove(&store::name(&[name]));
        }
    }
}

fn find_signals(options: &Options, search: &str, cookies: &str, now: Now) {
    let Some((stores, first_query)) =
        with(|tracker| (Rc::clone(&tracker.stores), tracker.first_query.clone()))
    else {
        return;
    };
    let (preview, qa) = (store::name(&["preview"]), store::name(&["qa"]));
    let session = page::global("sessionStorage").filter(|_| stores.tab.is_lasting());
    let in_session = |name: &'static str| {
        let value = page::get(session.as_ref()?, name)?.as_string()?;
        Some((name.to_owned(), value))
    };
    let shown = signal::Shown {
        search: [search.trim_start_matches('?'), &first_query].join("&"),
        cookies: cookies.to_owned(),
        remembered_preview: stores.tab.read(&preview),
        remembered_qa: stores.tab.read(&qa),
        session: signal::session_names().filter_map(in_session).collect(),
    };
    let signals = signal::find(&shown, &options.qa_signals);
    for (name, found, known) in
        [(&preview, &signals.preview, &shown.remembered_preview), (&qa, &signals.qa, &shown.remembered_qa)]
    {
        if let Some(found) = found
            && known.is_none()
            && may_store()
        {
            stores.tab.write(name, found);
        }
    }
    with(|tracker| {
        tracker.signals = signals;
        tracker.signals_at = now.steady;
    });
}

/// Something happened that makes another look worth while.
pub fn look_again() {
    learn(false);
    attach::find();
    handle(Input::Tick);
    run();
}

fn set_timer() {
    let now = page::now();
    let due = with(|tracker| {
        let wake_in = tracker.outbox.as_ref().and_then(Outbox::wake_in);
        let due = wake_in.map(|ms| now.steady + ms);
        match (due, &tracker.timer) {
            (Some(due), Some((set, _))) if *set <= due => (None, None),
            (due, _) => (due, tracker.timer.take()),
        }
    });
    let Some((Some(due), old)) = due else { return };
    drop(old);
    let timer = page::after((due - now.steady).max(0.0), || {
        let spent = with(|tracker| tracker.timer.take());
        drop(spent);
        look_again();
    });
    with(|tracker| tracker.timer = Some((due, timer)));
}

fn listen() {
    page::listen(false, "pagehide", |_| {
        learn(false);
        handle(Input::Leaving);
        run();
    });
    page::listen(false, "pageshow", |event| {
        if page::get(&event, "persisted").is_some_and(|flag| flag.is_truthy()) {
            if let Some((stores, name)) = with(|tracker| (Rc::clone(&tracker.stores), tracker.left_name())) {
                stores.site.remove(&name);
            }
            handle(Input::Returned);
        }
        look_again();
    });
    for event in ["DOMContentLoaded", "visibilitychange"] {
        page::listen(true, event, |_| look_again());
    }
    page::listen(false, "load", |event| {
        if page::is_script_or_page(&event) {
            look_again();
        }
    });
    page::listen(false, "error", |event| {
        if segment::is_script(&event) {
            with(|tracker| tracker.blocked = true);
            warn("analytics.js could not be loaded: blocked, or not there");
            look_again();
        }
    });
}

/// The visitor agreed, or refused.
pub fn consent(granted: bool) {
    let before = with(|tracker| {
        let before = tracker.consent_now();
        // Once refused, what was held is gone; a later agreement counts for what comes then.
        tracker.consent = Some(granted);
        before
    });
    let running = with(|tracker| tracker.outbox.is_some()) == Some(true);
    if !running {
        if !granted {
            for (id, _) in with(|tracker| std::mem::take(&mut tracker.early)).unwrap_or_default() {
                finish(id, Verdict::NoConsent, "consent was refused");
            }
        }
        return;
    }
    if granted && before != Some(Consent::Granted) {
        open_stores();
        learn(true);
        take_over();
    } else {
        learn(true);
    }
    look_again();
}

/// Removes everything that was ever stored.
fn purge() {
    let stores = Stores {
        page: Store::memory(),
        tab: Store::open("sessionStorage"),
        site: Store::open("localStorage"),
    };
    for place in [&stores.tab, &stores.site] {
        for name in place.names() {
            place.remove(&store::name(&[&name]));
        }
    }
    with(|tracker| {
        let stores = Stores { page: Store::memory(), tab: Store::memory(), site: Store::memory() };
        tracker.stores = Rc::new(stores);
    });
}

fn trace(id: u32, step: Step) {
    let now = page::now();
    log(id, &step.told());
    match &step {
        Step::Parked => {
            let state = with(|tracker| tracker.state).unwrap_or(State::Missing);
            let told = match state {
                State::Missing => "segment was not found within maxWaitMs: decisions wait for the next page",
                State::Failed => {
                    "segment is disabled or could not be loaded: decisions wait for the next page"
                }
                _ => {
                    "segment is still a stub after maxWaitMs, analytics.js may be blocked: \
                      unconfirmed decisions are offered again on the next page"
                }
            };
            warn(told);
        }
        Step::Threw(destination, error) => {
            crate::js::mistake(&[destination.name(), ": `track` threw: ", error].concat());
        }
        _ => {}
    }
    with(|tracker| tracker.report.step(id, step, now.wall));
}

fn finish(id: u32, verdict: Verdict, why: &str) {
    log(id, &[verdict.name(), ": ", why].concat());
    let shown = with(|tracker| tracker.report.end(id, verdict, why)).flatten();
    let shown = shown.unwrap_or_else(|| vec![("verdict".to_owned(), Value::text(verdict.name()))]);
    tell(if verdict == Verdict::Delivered { "delivered" } else { "dropped" }, &shown);
}

/// Logs a step, when `debug` is on.
fn log(id: u32, step: &str) {
    let wanted = |tracker: &mut Tracker| {
        let debug = tracker.options.as_ref().is_some_and(|options| options.debug);
        debug.then(|| tracker.report.shown(id)).flatten()
    };
    let Some(shown) = with(wanted).flatten() else {
        return;
    };
    let text = |wanted: &str| {
        let field = shown.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        if let Some(Value::Text(text)) = field { text.clone() } else { String::new() }
    };
    let id = ["#", &crate::value::decimal(u64::from(id))].concat();
    let experiment = [text("experimentId"), text("experimentKey")].into_iter().find(|it| !it.is_empty());
    let variation = [text("variationId"), text("variationKey")].into_iter().find(|it| !it.is_empty());
    let what = [experiment.unwrap_or_default(), variation.unwrap_or_default()].join(" / ");
    page::say(Loud::Log, &[&id, &text("source"), &what, "—", step].join(" "));
}

/// Tells of something that may cost data: once on the console, and in the report.
pub fn warn(text: &str) {
    let now = page::now();
    if with(|tracker| tracker.report.warn(text, now.wall)) == Some(true) {
        page::say(Loud::Warn, text);
    }
}

/// Notes a mistake in the report. Says whether it is a new one.
pub fn note_mistake(text: &str) -> bool {
    let now = page::now();
    with(|tracker| tracker.report.error(text, now.wall)) == Some(true)
}

/// Tells the page's handlers of an event.
pub fn tell(event: &str, fields: &Fields) {
    let handlers: Vec<Function> = with(|tracker| {
        let listening = tracker.handlers.iter().filter(|(_, name, _)| *name == event);
        listening.map(|(.., handler)| handler.clone()).collect()
    })
    .unwrap_or_default();
    for handler in handlers {
        page::invoke(&handler, &page::to_js(&Value::Object(fields.clone())));
    }
}

/// Adds a handler; gives its number.
pub fn subscribe(event: &'static str, handler: Function) -> Option<u32> {
    with(|tracker| {
        tracker.last_handler += 1;
        tracker.handlers.push((tracker.last_handler, event, handler));
        tracker.last_handler
    })
}

/// Takes a handler away.
pub fn unsubscribe(number: u32) {
    let gone = with(|tracker| {
        let at = tracker.handlers.iter().position(|(known, ..)| *known == number);
        at.map(|at| tracker.handlers.swap_remove(at))
    });
    drop(gone);
}

/// Which sources are looked for.
pub fn wants_source(source: crate::source::Source) -> bool {
    with(|tracker| {
        let options = tracker.options.as_ref().filter(|_| tracker.started);
        options.is_some_and(|options| options.sources.as_ref().is_none_or(|list| list.contains(&source)))
    }) == Some(true)
}

/// Whether the page named this source itself, so that it is sure to come.
pub fn names_source(source: crate::source::Source) -> bool {
    with(|tracker| {
        let sources = tracker.options.as_ref().and_then(|options| options.sources.as_ref());
        sources.is_some_and(|list| list.contains(&source))
    }) == Some(true)
}
