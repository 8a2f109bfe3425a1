//! `diagnose()`: a report a person can read and a support ticket can carry. Without secrets.

use super::it;
use crate::js::page;
use crate::signal::cookie;
use crate::source::Source;
use crate::source::optimizely_web::attach;
use crate::value::{Fields, Value, join};
use crate::view::{Kind, View};

/// The report, as a plain object.
pub fn diagnose() -> Fields {
    look_for_warnings();
    let tracker = it();
    let mut report = Fields::default();
    report.text("version", crate::VERSION);
    let state = match (tracker.initialized.get(), tracker.started.get()) {
        (false, _) => "waiting for init",
        (_, false) => "waiting for the page to be shown",
        _ => "running",
    };
    report.text("state", state);
    let options = tracker.options();
    report.put("options", Value::Object(options.shown()));
    let waited = page::now().steady - tracker.missing_since.get();
    let destinations = options.destinations().map(|destination| {
        let mut fields = Fields::default();
        fields.text("name", destination.name());
        fields.text("state", tracker.state.get().name());
        fields.number("waitedMs", if waited.is_nan() { 0.0 } else { waited.floor() });
        Value::Object(fields)
    });
    report.put("destinations", Value::List(destinations.collect()));
    let sources = attach::hooked().into_iter().map(|client| {
        let mut fields = Fields::default();
        fields.text("name", Source::OptimizelyWeb.name());
        fields.text("found", &join(&["window.", client]));
        fields.text("hooked", "campaignDecided");
        Value::Object(fields)
    });
    report.put("sources", Value::List(sources.collect()));
    let mut signals = Fields::default();
    signals.text_or_null("preview", &tracker.facts.borrow().preview);
    signals.text_or_null("qa", &tracker.facts.borrow().qa);
    report.put("signals", Value::Object(signals));
    // The ids of both sides, so that identities can be compared. Segment's is read where it is
    // kept: asking analytics.js for it would create one.
    let mut ids = Fields::default();
    ids.text_or_null("anonymousId", cookie(&page::cookies(), "ajs_anonymous_id"));
    ids.text_or_null("visitorId", &attach::visitor());
    report.put("ids", Value::Object(ids));
    tracker.report.borrow().told(&mut report);
    report
}

/// What costs data and can only be seen from outside.
fn look_for_warnings() {
    if page::global("optimizelyIntegration").kind() == Kind::Function {
        super::warn("Segment's own Optimizely destination sends exposures too: switch it off in Segment");
    }
    if it().entrances.get() == (true, true) {
        super::warn(
            "Optimizely's decisions come from its analytics integration and from its events: each is \
             sent once; the option `sources: []` saves the double work",
        );
    }
}
