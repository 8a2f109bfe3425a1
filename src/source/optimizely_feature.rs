//! Optimizely Feature Experimentation, SDK 5 and 6: what its notifications DECISION and LOG_EVENT
//! tell, brought into one shape by the hook. Keys make the dedupe key, for DECISION of version 5
//! has no ids.

use crate::decision::{Decision, Kind, Text, Verdict};
use crate::json::{Fields, join};
use crate::parcel::pack;
use crate::source::Source;
use crate::view::{View, kind};

const PATHS: &str = "flag_key variation_key rule_key user_id qa enabled rule_type silent";

/// Whether the flag has the rule, and as what. Holdouts stand above the flags: a rule that a flag
/// does not list is one.
const RULES: &str = "getOptimizelyConfig!.featuresMap.$0.experimentRules.?1.key \
    getOptimizelyConfig!.featuresMap.$0.deliveryRules.?1.key getOptimizelyConfig!.featuresMap.$0.key";

/// Reads a decision about a flag, or about an experiment of the SDK's old API.
pub fn read<V: View>(event: &V, client: &V, at: f64) -> Decision {
    const TEXTS: [Text; 5] = [Text::FlagKey, Text::VariationKey, Text::ExperimentKey, Text::Unit, Text::Qa];
    let told = event.pick(PATHS, "");
    let mut decision = Decision::new(Source::OptimizelyFeature, at);
    for (place, text) in TEXTS.into_iter().enumerate() {
        decision.read(text, told.at(place));
    }
    // A flag that was forced as a whole has no rule, and stands for itself.
    if told.at(2).text.is_empty() {
        decision.read(Text::ExperimentId, told.at(0));
    }
    if told.at(5).is(kind::BOOL) {
        let mut fields = Fields::default();
        fields.flag("enabled", told.at(5).is_true());
        decision.set(Text::Properties, &pack(&fields));
    }
    let rule = decision.get(Text::ExperimentKey);
    let rules = client.pick(RULES, &join(&[decision.get(Text::FlagKey), "\x1f", rule]));
    let is_listed = |place: usize| rules.at(place).is(kind::TEXT);
    // LOG_EVENT says it itself.
    let kind = match told.at(6).string() {
        "experiment" | "feature-test" => Some(Kind::Experiment),
        "rollout" => Some(Kind::Rollout),
        "holdout" => Some(Kind::Holdout),
        _ if rule.is_empty() || is_listed(0) => Some(Kind::Experiment),
        _ if is_listed(1) => Some(Kind::Rollout),
        _ => is_listed(2).then_some(Kind::Holdout),
    };
    let why = match kind {
        _ if decision.variation().is_empty() || decision.experiment().is_empty() => {
            "no rule of the flag applies"
        }
        Some(Kind::Rollout) => "the rule is a rollout: nothing is compared",
        None => "Optimizely's configuration does not know the rule",
        _ if told.at(7).is_true() => "the page asked for a decision without an impression",
        _ => "",
    };
    if !why.is_empty() {
        decision.refuse(Verdict::NotAnExposure, why);
    }
    decision.kind = kind.unwrap_or(decision.kind);
    // Held out of all experiments: the option `holdback` says what becomes of it.
    decision.holdback = kind == Some(Kind::Holdout);
    decision
}
