//! `trackDecision`: the door for any tool that has a callback of its own. As such a callback it can
//! be handed over itself, so it takes what those get: an object, or the experiment, the variant and
//! an object with the rest.

use crate::decision::{Decision, Text, Verdict, read_id};
use crate::options::scalars;
use crate::source::{Source, is_plausible, read_holdback};
use crate::view::{View, fault, kind};

const WHO: &str = "trackDecision: field";

const PATHS: &str = "experimentId experimentKey variationId variationKey campaignId userId \
    experimentName variationName campaignName source isHoldback decidedAt% decidedAt properties.* \
    variantId variantKey variantName assignedAt% assignedAt";

/// Other names of fields, as places in [`PATHS`].
const ALIASES: [(usize, usize); 5] = [(2, 14), (3, 15), (7, 16), (11, 17), (12, 18)];

/// Reads what the page passed to `trackDecision` at the moment `at` (ms since the epoch).
/// Mistakes that leave the decision usable go to `mistakes`.
pub fn read(arguments: &impl View, at: f64, mistakes: &mut Vec<String>) -> Decision {
    const IDS: [Text; 6] = [
        Text::ExperimentId,
        Text::ExperimentKey,
        Text::VariationId,
        Text::VariationKey,
        Text::CampaignId,
        Text::Unit,
    ];
    const NAMES: [Text; 4] = [Text::ExperimentName, Text::VariationName, Text::CampaignName, Text::Label];
    let mut decision = Decision::new(Source::Direct, at);
    let passed = arguments.pick("0 1", "");
    let first = passed.at(0);
    let by_position = matches!(first.kind, kind::TEXT | kind::NUMBER | kind::BIG_INT);
    if !by_position && !matches!(first.kind, kind::OBJECT | kind::FUNCTION) {
        let wanted = "an object, or the id of an experiment";
        decision.refuse(Verdict::Invalid, &fault("trackDecision", "argument 1", first, wanted));
        return decision;
    }
    let told = arguments.walk(if by_position { "2" } else { "0" }, "").pick(PATHS, "");
    // Where a field is told: under its name, or under another one.
    let place = |place: usize| {
        let alias = ALIASES.iter().find(|(field, _)| *field == place).map_or(place, |(_, alias)| *alias);
        let absent = |place| matches!(told.at(place).kind, kind::MISSING | kind::NULL);
        if absent(place) && !absent(alias) { alias } else { place }
    };
    let mut faults = Vec::new();
    for (at, text) in IDS.into_iter().enumerate() {
        let field = PATHS.split(' ').nth(place(at)).unwrap_or_default();
        let id = match at {
            0 | 2 if by_position => passed.at(at / 2),
            _ => told.at(place(at)),
        };
        // Who is logged out has an empty user id, and that is no mistake.
        let optional = at > 3 && id.is(kind::TEXT) && id.text.is_empty();
        if let Some(fault) =
            read_id(&mut decision, text, (WHO, field, id), false, mistakes).filter(|_| !optional)
        {
            faults.push((at, fault));
        }
    }
    for (at, text) in NAMES.into_iter().enumerate() {
        decision.read(text, told.at(place(IDS.len() + at)));
    }
    decision.holdback = read_holdback(told.at(10), WHO, mistakes);
    let moment = told.at(place(11)).moment();
    if is_plausible(moment, at) {
        decision.decided_at = moment;
    } else if !told.at(place(12)).is(kind::MISSING) {
        let field = if place(12) == 12 { "decidedAt" } else { "assignedAt" };
        mistakes.push(fault(WHO, field, told.at(place(12)), "a time in ms, a Date or ISO 8601"));
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
