//! `trackDecision`: the door for any tool that has a callback of its own.

use crate::decision::{Decision, Text, Verdict, read_id};
use crate::options::scalars;
use crate::source::{Source, read_holdback};
use crate::view::{View, fault};

const WHO: &str = "trackDecision: field";

/// Reads what the page passed to `trackDecision` at the moment `at` (ms since the epoch).
/// Mistakes that leave the decision usable go to `mistakes`.
pub fn read<V: View>(call: &V, at: f64, mistakes: &mut Vec<String>) -> Decision {
    const IDS: [(&str, Text); 6] = [
        ("experimentId", Text::ExperimentId),
        ("experimentKey", Text::ExperimentKey),
        ("variationId", Text::VariationId),
        ("variationKey", Text::VariationKey),
        ("campaignId", Text::CampaignId),
        ("userId", Text::Unit),
    ];
    const NAMES: [(&str, Text); 4] = [
        ("experimentName", Text::ExperimentName),
        ("variationName", Text::VariationName),
        ("campaignName", Text::CampaignName),
        ("source", Text::Label),
    ];
    let mut decision = Decision::new(Source::Direct, at);
    for (field, text) in IDS {
        read_id(&mut decision, text, (call, WHO, field), mistakes);
    }
    for (field, text) in NAMES {
        decision.read(text, call, field);
    }
    decision.holdback = read_holdback(call, WHO, mistakes);
    let told = call.get("decidedAt");
    let moment = told.moment();
    if moment > 0.0 {
        decision.decided_at = moment;
    } else if told.spelled() != "missing" {
        mistakes.push(fault(WHO, "decidedAt", &told.spelled(), "a time in ms, a Date or ISO 8601"));
    }
    let properties = call.get("properties");
    if properties.spelled() != "missing" {
        let fields = scalars("trackDecision: field", "properties", &properties, mistakes);
        decision.set(Text::Properties, &crate::parcel::pack(&fields));
    }
    if decision.experiment().is_empty() {
        let wanted = "a string or a number, or `experimentKey` has to be one";
        decision.refuse(Verdict::Invalid, &fault(WHO, "experimentId", "missing", wanted));
    }
    if decision.variation().is_empty() {
        decision.refuse(Verdict::NotAnExposure, "no variation");
    }
    decision
}
