//! The sources that have to be found: looks for their clients, listens, replays what they decided
//! before we came.

use super::{decide, fact, it};
use crate::decision::Decision;
use crate::js::page::{self, JsValue};
use crate::json::join;
use crate::options::Options;
use crate::source::Source;
use crate::source::optimizely_web::{Around, read_state};
use crate::view::View;

/// A decision came in from Optimizely's callback.
pub fn decide_by_callback(decision: Decision) {
    it().by_callback.set(true);
    decide(decision);
}

/// A decision came in from Optimizely's events or state.
pub fn decide_by_event(decision: Decision) {
    it().by_event.set(true);
    decide(decision);
}

/// Looks for the experiment tools that are on the page now, and hooks the new ones.
pub fn find(options: &Options) {
    let mut names = String::new();
    for source in Source::ALL.into_iter().filter(|source| options.names(*source)) {
        names += &join(&[source.name(), " "]);
    }
    page::find(&names, options.sources.is_none());
}

/// Takes in what a client decided before. The decision that redirected the visitor here is told by
/// no event; Optimizely knows of it once it is initialized. So are, on Performance Edge, all
/// decisions.
pub fn replay(client: &str, redirected_only: bool) {
    let only = redirected_only && client == "optimizely";
    for decision in around(client, page::now().wall, |around| read_state(around, only)) {
        decide_by_event(decision);
    }
}

/// Lets `read` see what stands around a decision of this client, made or told at the moment `at`.
pub fn around<T>(client: &str, at: f64, read: impl FnOnce(&Around<JsValue>) -> T) -> T {
    let facts = page::facts("");
    let cookies = fact(&facts, page::Facts::Cookies);
    read(&Around { client: &page::window().walk("$0", client), cookies, at })
}
