//! `trackDecision`: the door for any tool that has a callback of its own.

use crate::decision::{Decision, Text, Verdict, read_id};
use crate::options::scalars;
use crate::source::{Source, is_plausible, read_holdback};
use crate::view::{View, fault, kind};

const WHO: &str = "trackDecision: field";

const PATHS: &str = "experimentId experimentKey variationId variationKey campaignId userId \
    experimentName variationName campaignName source \
    isHoldback decidedAt% decidedAt properties.*";

/// Reads what the page passed to `trackDecision` at the moment `at` (ms since the epoch).
/// Mistakes that leave the decision usable go to `mistakes`.
pub fn read(call: &impl View, at: f64, mistakes: &mut Vec<String>) -> Decision {
    const IDS: [Text; 6] = [
        Text::ExperimentId,
        Text::ExperimentKey,
        Text::VariationId,
        Text::VariationKey,
        Text::CampaignId,
        Text::Unit,
    ];
    const NAMES: [Text; 4] = [Text::ExperimentName, Text::VariationName, Text::CampaignName, Text::Label];
    let told = call.pick(PATHS, "");
    let mut decision = Decision::new(Source::Direct, at);
    let mut faults = Vec::new();
    for (place, (field, text)) in PATHS.split(' ').zip(IDS).enumerate() {
        let id = told.at(place);
        // Who is logged out has an empty user id, and that is no mistake.
        let optional = place > 3 && id.is(kind::TEXT) && id.text.is_empty();
        if let Some(fault) =
            read_id(&mut decision, text, (WHO, field, id), false, mistakes).filter(|_| !optional)
        {
            faults.push((place, fault));
        }
    }
    for (place, text) in NAMES.into_iter().enumerate() {
        decision.read(text, told.at(IDS.len() + place));
    }
    decision.holdback = read_holdback(told.at(10), WHO, mistakes);
    let moment = told.at(11).moment();
    if is_plausible(moment, at) {
        decision.decided_at = moment;
    } else if !told.at(12).is(kind::MISSING) {
        mistakes.push(fault(WHO, "decidedAt", told.at(12), "a time in ms, a Date or ISO 8601"));
    }
    if !told.at(13).is(kind::MISSING) {
        let fields = scalars(WHO, "properties", told.at(13), mistakes);
        decision.set(Text::Properties, &crate::parcel::pack(&fields));
    }
    // A faulty id costs the decision only where there is no other.
    for (place, fault) in faults {
        let only = match place {
            0 | 1 => decision.experiment().is_empty(),
            2 | 3 => decision.variation().is_empty(),
            _ => false,
        };
        if only { decision.refuse(Verdict::Invalid, &fault) } else { mistakes.push(fault) }
    }
    if decision.experiment().is_empty() {
        let wanted = "a string or a number, or `experimentKey` has to be one";
        decision.refuse(Verdict::Invalid, &fault(WHO, "experimentId", told.at(0), wanted));
    }
    if decision.variation().is_empty() {
        decision.refuse(Verdict::NotAnExposure, "no variation");
    }
    decision
}
