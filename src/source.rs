//! The sources: experiment tools whose decisions we carry. A new one is a file below and a line
//! in [`Source`].

use crate::decision::{Decision, Text};
use crate::view::{Picked, Told, View, fault, kind};

pub mod avsb;
pub mod direct;
pub mod growthbook;
pub mod open_feature;
pub mod optimizely_feature;
pub mod optimizely_web;
pub mod statsig;

/// The tools a decision can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Any tool the page reports through `trackDecision`: Webyn, home-grown tests.
    Direct,
    /// Optimizely Web, by its callback or by its lifecycle events.
    OptimizelyWeb,
    /// GrowthBook, by its tracking callback and its results.
    Growthbook,
    /// OpenFeature's web SDK, by a hook for the whole API.
    OpenFeature,
    /// A vs B, by its callback and by the dataLayer.
    Avsb,
    /// Optimizely Feature Experimentation, by the notifications of its SDK.
    OptimizelyFeature,
    /// Statsig, by the exposures its SDK logs.
    Statsig,
}

impl Source {
    /// All of them, in the order of their numbers.
    pub const ALL: [Source; 7] = [
        Source::Direct,
        Source::OptimizelyWeb,
        Source::Growthbook,
        Source::OpenFeature,
        Source::Avsb,
        Source::OptimizelyFeature,
        Source::Statsig,
    ];

    /// The name in options and in the report.
    pub fn name(self) -> &'static str {
        match self {
            Source::Direct => "direct",
            Source::OptimizelyWeb => "optimizelyWeb",
            Source::Growthbook => "growthbook",
            Source::OpenFeature => "openFeature",
            Source::Avsb => "avsb",
            Source::OptimizelyFeature => "optimizelyFeature",
            Source::Statsig => "statsig",
        }
    }

    /// The source of this name.
    pub fn named(name: &str) -> Option<Source> {
        Source::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether the tool is about to leave this page for a variation of `experiment`, as the
    /// redirect `cookie` tells. The decision is then told on the landing page.
    pub fn is_leaving(self, cookie: &str, experiment: &str) -> bool {
        self == Source::OptimizelyWeb && optimizely_web::is_redirecting(cookie, experiment)
    }

    /// The referrer in front of the redirect that `experiment` made to this page, as the redirect
    /// `cookie` tells; empty when it made none.
    pub fn referrer(self, cookie: &str, experiment: &str) -> String {
        let told = if self == Source::OptimizelyWeb {
            optimizely_web::redirect_referrer(cookie, experiment)
        } else {
            ""
        };
        told.to_owned()
    }
}

/// Reads what the hook of an SDK brought: the `event`, of this `client`, with the `settings` that
/// the page gave for this source, at the moment `at` (ms since the epoch). None for what nobody
/// wants counted.
pub fn read<V: View>(source: Source, event: &V, client: &V, settings: &V, at: f64) -> Option<Decision> {
    match source {
        // These two have entrances of their own.
        Source::Direct | Source::OptimizelyWeb => None,
        Source::Growthbook => growthbook::read(event, client, settings, at),
        Source::OpenFeature => open_feature::read(event, client, settings, at),
        Source::Avsb => avsb::read(event, client, settings, at),
        Source::OptimizelyFeature => Some(optimizely_feature::read(event, client, at)),
        Source::Statsig => statsig::read(event, client, settings, at),
    }
}

/// The decision of a `source` that was told as these texts, in their order; none without an
/// experiment or a variation.
#[inline(never)]
pub fn told_by(source: Source, at: f64, told: &Picked, texts: &[Text]) -> Option<Decision> {
    let mut decision = Decision::new(source, at);
    for (place, text) in texts.iter().enumerate() {
        decision.read(*text, told.at(place));
    }
    let known = !decision.experiment().is_empty() && !decision.variation().is_empty();
    known.then_some(decision)
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
