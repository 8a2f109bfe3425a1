//! GrowthBook: what its tracking callback gets, an experiment and a result; its list of results has
//! the same two.

use crate::decision::{Decision, Text};
use crate::source::{Source, told_by};
use crate::view::View;

const PATHS: &str = "experiment.key experiment.name result.key result.name result.hashValue \
    result.featureId result.inExperiment result.hashUsed";

/// Reads one assignment. Nothing comes of a result whose visitor is not in the experiment: the
/// targeting, the coverage or the QA mode kept him out.
pub fn read<V: View>(event: &V, _: &V, _: &V, at: f64) -> Option<Decision> {
    const TEXTS: [Text; 6] = [
        Text::ExperimentKey,
        Text::ExperimentName,
        Text::VariationKey,
        Text::VariationName,
        Text::Unit,
        Text::FlagKey,
    ];
    let told = event.pick(PATHS, "");
    let mut decision = told_by(Source::Growthbook, at, &told, &TEXTS)?;
    if !told.at(6).is_true() {
        return None;
    }
    // The hash decides about visitors alone; the address and `forcedVariations` go past it.
    if !told.at(7).is_true() {
        decision.set(Text::Forced, "a variation forced in GrowthBook");
    }
    Some(decision)
}
