//! Statsig: the exposures the SDK logs, each with the evaluation it came from. Statsig logs more than
//! exposures: experiments it does not know yet, that do not run, that the user is not in.

use crate::decision::{Decision, Kind, Text, Verdict};
use crate::json::{Fields, join};
use crate::parcel::pack;
use crate::source::Source;
use crate::view::{View, kind};

const PATHS: &str = "kind reason ruleID isExplicitParameter config \
    evaluation.rule_id evaluation.is_experiment_active evaluation.is_user_in_experiment \
    evaluation.id_type evaluation.group_name gate allocatedExperiment gateValue ruleID \
    user.userID user.customIDs.stableID";

/// Reads an exposure; none when it is of a dynamic config, or of a gate and the page did not ask
/// for gates.
pub fn read<V: View>(event: &V, client: &V, settings: &V, at: f64) -> Option<Decision> {
    const TEXTS: [Text; 4] = [Text::ExperimentKey, Text::ExperimentKey, Text::VariationId, Text::VariationId];
    let told = event.pick(PATHS, "");
    let [what, reason, rule] = [0, 1, 2].map(|place| told.at(place).text);
    let is_missing = |place: usize| told.at(place).is(kind::MISSING);
    let (is_config, is_gate) = (what == "config", what == "gate");
    if is_gate && !settings.pick("gates", "").at(0).is_true()
        || is_config && !is_missing(5) && is_missing(6) && is_missing(7)
    {
        return None;
    }
    let mut decision = Decision::new(Source::Statsig, at);
    for (place, text) in TEXTS.into_iter().enumerate() {
        decision.read(text, told.at(10 + place));
    }
    let mut own = Fields::default();
    if is_gate {
        decision.kind = Kind::Gate;
        own.text("rule_id", rule);
    } else if is_config {
        decision.read(Text::ExperimentKey, told.at(4));
    } else {
        own.text("layer_name", told.at(4).string());
    }
    decision.set(Text::Properties, &pack(&own));
    // The evaluation of another group, after a change of user, tells nothing. A layer's parameter
    // may have a rule of its own.
    let is_its_own = told.at(5).text == rule;
    if is_its_own {
        decision.read(Text::VariationName, told.at(9));
    }
    // The user, even where whole companies are decided about: each visitor is exposed.
    if told.at(8).text != "stableID" {
        decision.read(Text::Unit, told.at(14));
    }
    decision.read(Text::Unit, told.at(15));
    decision.read(Text::Unit, client.pick("getContextHandle!.stableID", "").at(0));
    if reason.starts_with("LocalOverride") {
        decision.set(Text::Qa, reason);
    }
    let no_value = join(&["Statsig had no value for it: ", reason]);
    let why = match () {
        () if !reason.ends_with(":Recognized") => &no_value,
        () if decision.experiment().is_empty() || decision.variation().is_empty() => {
            "the parameter belongs to no experiment"
        }
        () if is_gate => "",
        () if is_missing(5) || is_config && !is_its_own => "its group is not known any more",
        () if !told.at(6).is_true() => "the experiment does not run",
        () if !told.at(7).is_true() => "the user is not in the experiment",
        () => "",
    };
    if !why.is_empty() {
        decision.refuse(Verdict::NotAnExposure, why);
    }
    Some(decision)
}
