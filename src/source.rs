//! The sources: experiment tools whose decisions we carry. A new one is a file below and a line
//! in [`Source`].

use crate::decision::Id;
use crate::view::{Kind, View};

pub mod direct;
pub mod optimizely_web;

/// The tools a decision can come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Any tool the page reports through `trackDecision`: Webyn, home-grown tests.
    #[default]
    Direct,
    /// Optimizely Web, by its callback or by its lifecycle events.
    OptimizelyWeb,
}

impl Source {
    /// The sources that the option `sources` can name.
    pub const LISTED: [Source; 1] = [Source::OptimizelyWeb];

    /// Kinds of sources that the contract names and this version does not have yet.
    pub const PLANNED: [&str; 6] =
        ["optimizelyFeature", "statsig", "avsb", "webyn", "growthbook", "openFeature"];

    /// The name in options and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Source::Direct => "direct",
            Source::OptimizelyWeb => "optimizelyWeb",
        }
    }
}

/// Reads the id in `field`, and reports a number that has lost digits.
pub fn read_id<V: View>(call: &V, field: &str, method: &str, mistakes: &mut Vec<String>) -> Id {
    let id = Id::read(call.get(field).as_ref());
    if let Id::Blurred(text) = &id {
        mistakes.push(
            [method, ": field `", field, "` is the number ", text]
                .into_iter()
                .chain([", which may have lost digits beyond 2^53, must be a string"])
                .collect(),
        );
    }
    id
}

/// Reads a holdback flag, which tools spell as a boolean, a number or a string. Never its
/// truthiness: `"false"` is no holdback.
pub fn holdback<V: View>(call: &V, field: &str, method: &str, mistakes: &mut Vec<String>) -> bool {
    let Some(view) = call.get(field) else {
        return false;
    };
    match view.text().as_deref() {
        Some("true" | "1") => true,
        Some("false" | "0" | "") => false,
        None if view.kind() == Kind::Null => false,
        _ => {
            let came = view.spelled();
            mistakes.push([method, ": field `", field, "` is ", &came, ", must be true or false"].concat());
            false
        }
    }
}
