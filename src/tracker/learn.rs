//! Learning: what the page shows now, as the facts the gate is told.

use super::{SITE, TAB, fact, handle, it};
use crate::gate::Consent;
use crate::js::page;
use crate::json::decimal;
use crate::options::{Dedupe, Options};
use crate::outbox::{Input, Now};
use crate::signal::{self, Shown, cookie};
use crate::source::optimizely_web::REDIRECT_COOKIE;
use crate::store::{self, Session};
use crate::view::UNIT;

/// How often the page is searched for preview and QA signals at most, in ms.
const SIGNALS_MS: f64 = 1000.0;

/// Finds out what the outbox has to know about the page. The search for signals is repeated when
/// the address changes, and from time to time.
pub fn learn(search_now: bool) {
    let tracker = it();
    let now = page::now();
    let options = tracker.options();
    let consent = tracker.consent();
    let period = period(&options, now);
    let due = search_now || now.steady - tracker.signals_at.get() > SIGNALS_MS;
    let names = if due && consent == Consent::Granted { signal::SESSION_NAMES } else { "" };
    let page = page::facts(names);
    let (cookies, queries) = (fact(&page, page::Facts::Cookies), fact(&page, page::Facts::Queries));
    let moved = tracker.queries.replace(queries.to_owned()) != queries;
    let mut facts = tracker.facts.borrow().clone();
    if due || moved {
        tracker.signals_at.set(now.steady);
        let shown = Shown { search: queries, cookies, session: fact(&page, page::Facts::Session) };
        facts.qa = remembered("qa", signal::qa(&shown, &options.qa_signals));
        facts.preview = remembered("preview", signal::preview(&shown));
        if signal::is_forced_tracking(&facts.qa) {
            facts.preview.clear();
        }
    }
    cookie(cookies, REDIRECT_COOKIE).clone_into(&mut facts.redirect);
    if facts.project.is_empty() {
        let key = options.write_key();
        let project = if key.is_empty() { fact(&page, page::Facts::Host) } else { key };
        project.clone_into(&mut facts.project);
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
    let before = page::read(TAB, &name);
    if found.is_empty() {
        return before;
    }
    if before != found {
        page::write(TAB, &name, &found);
    }
    found
}

/// What the dedupe scope calls one period: continues the running session, or begins one.
fn period(options: &Options, now: Now) -> String {
    let tracker = it();
    let granted = tracker.consent() == Consent::Granted;
    let (shelf, timeout) = match options.dedupe() {
        Dedupe::Visitor => return "visitor".to_owned(),
        Dedupe::Session if granted => (SITE, options.session_timeout_ms()),
        Dedupe::Tab if granted => (TAB, f64::MAX),
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
    let running = Session::running(&page::read(shelf, &name), now.wall, timeout);
    let begins = running.is_none();
    // Two tabs that open at the same time both begin it, before one sees what the other wrote: they
    // have to come to the same name. No two sessions of a visitor begin within one timeout.
    let begun = || if shelf == TAB { page::random() } else { decimal(now.wall / timeout) };
    let session = Session { id: running.unwrap_or_else(begun), last: now.wall };
    page::write(shelf, &name, &session.entry());
    if begins {
        for name in page::names(shelf, &store::name(&["seen/"])).split(UNIT) {
            page::remove(shelf, name);
        }
    }
    let id = session.id.clone();
    tracker.session.replace(Some(session));
    id
}
