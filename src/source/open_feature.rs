//! OpenFeature: what its `finally` hook gets. It does not know what an experiment is, so a filter
//! has to tell.

use crate::decision::{Decision, Text};
use crate::source::{Source, told_by};
use crate::view::{Told, View, kind};

const PATHS: &str = "flagMetadata.experiment flagKey flagKey variant targetingKey reason";

/// The reasons of a choice that depends on the visitor.
const CHOSEN: [&str; 2] = ["SPLIT", "TARGETING_MATCH"];
/// The reasons of what is the same for everybody.
const FIXED: [&str; 2] = ["STATIC", "DEFAULT"];

/// Reads one evaluation, unless it is filtered out: by the site's list of flags; by what the flag's
/// metadata say (`experiment: false`, or `true`, or the key of the experiment); by its reason. A
/// provider may know no good reason (`CACHED`, or none), so a flag that the site lists needs none,
/// it only must not be fixed. Errors and flags that are disabled have no variant.
pub fn read<V: View>(event: &V, _: &V, settings: &V, at: f64) -> Option<Decision> {
    // The flag stands in for an experiment that has no key of its own.
    const TEXTS: [Text; 5] =
        [Text::ExperimentKey, Text::ExperimentKey, Text::FlagKey, Text::VariationKey, Text::Unit];
    let told = event.pick(PATHS, "");
    let lists = settings.pick("flags.* reasons.*", "");
    let (marked, flag, reason) = (told.at(0), told.at(1), told.at(5).text);
    let decision = told_by(Source::OpenFeature, at, &told, &TEXTS)?;
    let listed = has(lists.at(0), flag.text);
    let is_experiment = match marked.kind {
        kind::BOOL => marked.is_true(),
        kind::TEXT => true,
        _ => has(lists.at(1), reason).unwrap_or(match listed {
            Some(_) => !FIXED.contains(&reason),
            None => CHOSEN.contains(&reason),
        }),
    };
    (is_experiment && listed != Some(false)).then_some(decision)
}

/// Whether it stands in the site's list; none where there is no list.
fn has(list: Told, text: &str) -> Option<bool> {
    list.is(kind::LIST).then(|| list.entries().any(|(_, entry)| entry.text == text))
}
