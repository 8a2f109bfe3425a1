//! The sources: experiment tools whose decisions we carry. A new one is a file below and a line
//! in [`Source`].

use crate::view::{View, fault};

pub mod direct;
pub mod optimizely_web;

/// The tools a decision can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Any tool the page reports through `trackDecision`: Webyn, home-grown tests.
    Direct,
    /// Optimizely Web, by its callback or by its lifecycle events.
    OptimizelyWeb,
}

impl Source {
    /// All of them, in the order of their numbers.
    pub const ALL: [Source; 2] = [Source::Direct, Source::OptimizelyWeb];

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

/// Reads a holdback flag, which tools spell as a boolean, a number or a string. Never its
/// truthiness: `"false"` is no holdback.
pub fn read_holdback<V: View>(call: &V, who: &str, mistakes: &mut Vec<String>) -> bool {
    let flag = call.get("isHoldback");
    let text = flag.text();
    let absent = text.is_empty() && matches!(flag.spelled().as_str(), "missing" | "null" | "\"\"");
    if !absent && !["true", "false", "0", "1"].contains(&&*text) {
        mistakes.push(fault(who, "isHoldback", &flag.spelled(), "true or false"));
    }
    text == "true" || text == "1"
}
