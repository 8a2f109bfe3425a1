//! The sources: experiment tools whose decisions we carry. A new one is a file below and a line
//! in [`Source`].

use crate::view::{Told, fault, kind};

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

/// Whether a decision can have been made at `moment`, told at `at`: in this millennium, and no later
/// than clocks that disagree can make it.
pub fn is_plausible(moment: f64, at: f64) -> bool {
    const MILLENNIUM: f64 = 946_684_800_000.0;
    const DAY: f64 = 86_400_000.0;
    moment >= MILLENNIUM && moment <= at + DAY
}

/// Reads a holdback flag, which tools spell as a boolean, a number or a string. Never its
/// truthiness: `"false"` is no holdback.
pub fn read_holdback(told: Told, who: &str, mistakes: &mut Vec<String>) -> bool {
    let absent = matches!(told.kind, kind::MISSING | kind::NULL);
    if !absent && !["true", "false", "0", "1"].contains(&told.text) {
        mistakes.push(fault(who, "isHoldback", told, "true or false"));
    }
    told.text == "true" || told.text == "1"
}
