//! `trackDecision`: the door for any tool that has a callback of its own.

use crate::decision::{Decision, Id, Kind, Named, Refusal, cut};
use crate::options;
use crate::source::{Source, holdback, read_id};
use crate::view::View;

/// Reads what the page passed to `trackDecision` at the moment `at` (ms since the epoch).
/// Mistakes that leave the decision usable go to `mistakes`.
pub fn read<V: View>(call: &V, at: f64, mistakes: &mut Vec<String>) -> Decision {
    let mut decision = Decision {
        source: Source::Direct,
        label: call.string_at("source").map(|label| cut(&label)).unwrap_or_default(),
        kind: Kind::Experiment,
        decided_at: at,
        ..Decision::default()
    };
    let experiment_id = id(call, "experimentId", mistakes);
    let experiment_key = id(call, "experimentKey", mistakes);
    let variation_id = id(call, "variationId", mistakes);
    let variation_key = id(call, "variationKey", mistakes);
    decision.experiment = named(&experiment_id, &experiment_key, call, "experimentName");
    decision.variation = named(&variation_id, &variation_key, call, "variationName");
    decision.campaign = Named {
        id: id(call, "campaignId", mistakes).text().to_owned(),
        name: name(call, "campaignName"),
        ..Named::default()
    };
    decision.unit = id(call, "userId", mistakes).text().to_owned();
    decision.holdback = holdback(call, "isHoldback", "trackDecision", mistakes);
    if let Some(moment) = call.get("decidedAt") {
        match moment.moment() {
            Some(moment) if moment > 0.0 => decision.decided_at = moment,
            _ => mistakes.push(mistake("decidedAt", &moment, "a time in ms, a Date or ISO 8601")),
        }
    }
    if let Some(properties) = call.get("properties") {
        decision.properties = options::scalars("trackDecision: field", "properties", &properties, mistakes);
    }
    decision.refusal =
        refusal(call, &decision, [&experiment_id, &experiment_key], [&variation_id, &variation_key]);
    decision
}

fn refusal<V: View>(
    call: &V,
    decision: &Decision,
    experiment: [&Id; 2],
    variation: [&Id; 2],
) -> Option<Refusal> {
    const WANTED: &str = "a string or a number that is not empty";
    if decision.experiment.identity().is_empty() {
        let field = if experiment.contains(&&Id::Bad) && *experiment.first()? != &Id::Bad {
            "experimentKey"
        } else {
            "experimentId"
        };
        return Some(Refusal::Invalid(missing(call, field, WANTED)));
    }
    if decision.variation.identity().is_empty() {
        if variation.contains(&&Id::Bad) {
            return Some(Refusal::Invalid(missing(call, "variationId", WANTED)));
        }
        return Some(Refusal::NotAnExposure("no variation"));
    }
    None
}

fn missing<V: View>(call: &V, field: &str, wanted: &str) -> String {
    match call.get(field) {
        Some(came) => mistake(field, &came, wanted),
        None => ["trackDecision: field `", field, "` is missing, must be ", wanted].concat(),
    }
}

fn mistake<V: View>(field: &str, came: &V, wanted: &str) -> String {
    ["trackDecision: field `", field, "` is ", &came.spelled(), ", must be ", wanted].concat()
}

fn named<V: View>(id: &Id, key: &Id, call: &V, field: &str) -> Named {
    Named { id: id.text().to_owned(), key: key.text().to_owned(), name: name(call, field) }
}

fn name<V: View>(call: &V, field: &str) -> String {
    call.string_at(field).map(|name| cut(&name)).unwrap_or_default()
}

fn id<V: View>(call: &V, field: &str, mistakes: &mut Vec<String>) -> Id {
    read_id(call, field, "trackDecision", mistakes)
}
