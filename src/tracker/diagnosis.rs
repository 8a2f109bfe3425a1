//! The tracker's part of the report.

use super::{fact, it, look_for, seen, sources, warn};
use crate::destination::{Destination, State};
use crate::js::page;
use crate::json::{Fields, list};
use crate::signal::cookie;
use crate::source::optimizely_web::visitor;
use crate::view::{View, kind};

/// The tracker's part of the report, as JSON. Without secrets.
pub fn diagnose() -> String {
    let tracker = it();
    let mut report = Fields::default();
    let state = match (tracker.initialized.get(), tracker.started.get()) {
        (false, _) => "waiting for init",
        (_, false) => "waiting for the page to be shown",
        _ => "running",
    };
    report.text("state", state);
    let options = tracker.options();
    report.put("options", &options.shown().json());
    // Of those that were only looked for, Segment is what people expect to read about.
    let shown = |it: &Destination| {
        let state = look_for(*it);
        !options.finds_destinations() || state != State::Missing || *it == Destination::Segment
    };
    let destinations = options.destinations().filter(shown).map(|destination| {
        let found = seen(destination);
        let waited = found.missing_since.map_or(found.waited, |since| page::now().steady - since);
        let mut fields = Fields::default();
        fields.text("name", destination.name());
        fields.text("state", found.state.name());
        fields.number("waitedMs", waited);
        fields.json()
    });
    report.put("destinations", &list(destinations));
    let mut signals = Fields::default();
    signals.text_or_null("preview", &tracker.facts.borrow().preview);
    signals.text_or_null("qa", &tracker.facts.borrow().qa);
    report.put("signals", &signals.json());
    // The ids of both sides, so that identities can be compared. Segment's is read where it is
    // kept: asking analytics.js for it would create one.
    let mut ids = Fields::default();
    let page = page::facts("");
    ids.text_or_null("anonymousId", cookie(fact(&page, page::Facts::Cookies), "ajs_anonymous_id"));
    ids.text_or_null("visitorId", &sources::around("optimizely", 0.0, visitor));
    report.put("ids", &ids.json());
    warn_of_native();
    report.json()
}

/// Segment's own Optimizely destination sends exposures of its own, with ids of its own: nothing
/// tells that ours are the same.
pub fn warn_of_native() {
    let native = page::window().pick("optimizelyIntegration analytics.queue.plugins.*.name", "");
    let plugin = native.at(1).text.split(',').any(|name| name == "Optimizely");
    if plugin || native.at(0).is(kind::FUNCTION) {
        warn("Segment's own Optimizely destination sends exposures too: switch it off in Segment");
    }
}
