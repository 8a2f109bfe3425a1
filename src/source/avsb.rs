//! A vs B: what its callback `window.avsb.onEvent` gets, and what it pushes to the `dataLayer`.

use crate::decision::{Decision, Text};
use crate::source::{Source, told_by};
use crate::view::View;

const PATHS: &str = "experiment_id experiment_name variation_id variation_name visitor_id event_name";

/// The one event that is an exposure; conversions come the same way.
pub const VIEWED: &str = "experiment_viewed";

/// Reads one event, if it is an exposure.
pub fn read<V: View>(event: &V, _: &V, _: &V, at: f64) -> Option<Decision> {
    const TEXTS: [Text; 5] =
        [Text::ExperimentId, Text::ExperimentName, Text::VariationId, Text::VariationName, Text::Unit];
    let told = event.pick(PATHS, "");
    let decision = told_by(Source::Avsb, at, &told, &TEXTS)?;
    (told.at(5).string() == VIEWED).then_some(decision)
}
