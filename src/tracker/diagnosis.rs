//! `diagnose()`: a report a person can read and a support ticket can carry. Without secrets.

use super::with;
use crate::js::page;
use crate::report::object;
use crate::source::optimizely_web::{self, attach};
use crate::value::Value;
use crate::view::{Kind, View};

/// The report, as a plain object.
pub fn diagnose() -> Value {
    look_for_warnings();
    let now = page::now();
    let ids = ids();
    let hooked = attach::hooked();
    let told = with(|tracker| {
        let options = tracker.options.as_ref();
        let waited = tracker.waited_since.map(|since| (now.steady - since).floor());
        let destinations = options.iter().flat_map(|options| &options.destinations);
        let destination = |name: &str| {
            object([
                ("name", Value::text(name)),
                ("state", Value::text(tracker.state.name())),
                ("waitedMs", waited.map_or(Value::Null, Value::Number)),
            ])
        };
        let signals = object([
            ("preview", Value::maybe(tracker.signals.preview.as_deref())),
            ("qa", Value::maybe(tracker.signals.qa.as_deref())),
        ]);
        let state = match (options, &tracker.outbox) {
            (None, _) => "waiting for init",
            (_, None) => "waiting for the page to be shown",
            _ => "running",
        };
        object([
            ("version", Value::text(crate::VERSION)),
            ("state", Value::text(state)),
            ("options", options.map_or(Value::Null, |options| options.shown())),
            ("destinations", Value::list(destinations.map(|it| destination(it.name())))),
            ("sources", Value::list(hooked.iter().map(|name| source(name)))),
            ("signals", signals),
            ("counts", tracker.report.counts()),
            ("decisions", tracker.report.decisions()),
            ("ids", ids),
            ("warnings", tracker.report.warnings()),
            ("errors", tracker.report.errors()),
        ])
    });
    told.unwrap_or(Value::Null)
}

fn source(client: &str) -> Value {
    object([
        ("name", Value::text("optimizelyWeb")),
        ("found", Value::text(&["window.", client].concat())),
        ("hooked", Value::text("campaignDecided")),
    ])
}

/// The ids of both sides, so that identities can be compared. Segment's is read where it is kept:
/// asking analytics.js for it would create one.
fn ids() -> Value {
    let anonymous = optimizely_web::cookie(&page::document_text("cookie"), "ajs_anonymous_id");
    let visitor = attach::with_around("optimizely", |around| around.visitor());
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    object([
        ("anonymousId", Value::maybe(some(&anonymous).as_deref())),
        ("visitorId", Value::maybe(some(&visitor).as_deref())),
    ])
}

/// What costs data and can only be seen from outside.
fn look_for_warnings() {
    let native = page::global("optimizelyIntegration").is_some_and(|it| it.kind() == Kind::Function);
    if native {
        super::warn(
            "Segment's own Optimizely destination is on and sends exposures too: switch it off in Segment",
        );
    }
    let both = with(|tracker| tracker.callback_seen && tracker.event_seen) == Some(true);
    if both {
        super::warn(
            "Optimizely's decisions come both from its analytics integration and from its events: \
             each is sent once; to save the double work set the option `sources` to []",
        );
    }
}
