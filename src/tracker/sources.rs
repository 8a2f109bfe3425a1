//! The sources that have to be found: looks for their clients, listens, replays what they decided
//! before we came.

use super::{decide, fact, it, warn};
use crate::decision::Decision;
use crate::js::page::{self, JsValue};
use crate::json::join;
use crate::options::Options;
use crate::source::Source;
use crate::source::optimizely_web::{Around, read_state};
use crate::view::View;

/// A decision came in from Optimizely's callback.
pub fn decide_by_callback(decision: Decision) {
    entered(Source::OptimizelyWeb, true);
    decide(decision);
}

/// A decision came in from Optimizely's events or state.
pub fn decide_by_event(decision: Decision) {
    entered(Source::OptimizelyWeb, false);
    decide(decision);
}

/// A decision of a source came by a call, or from its client. Where both happen, somebody did twice
/// what once is enough.
pub fn entered(source: Source, by_call: bool) {
    let place = source as u32 * 2;
    let both = it().entrances.get() | 1 << (place + u32::from(by_call));
    it().entrances.set(both);
    if both >> place & 3 == 3 {
        warn(&join(&[
            "decisions of ",
            source.name(),
            " come both by calls, as of its analytics integration, and from its client: each is sent once; \
             switch the calls off, or leave it out of the option `sources`",
        ]));
    }
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
