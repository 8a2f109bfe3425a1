//! Google: GA4 through `gtag`, and Google Tag Manager. Both read `dataLayer`, which keeps everything
//! for whoever comes, so that it is always ready.

use crate::decision::Decision;
use crate::destination::State;
use crate::json::join;
use crate::view::{Picked, kind};

/// What [`state`] wants to know of `window` for GA4.
pub const GA4: &str = "dataLayer.push gtag";
/// What it wants to know for Google Tag Manager.
pub const GTM: &str = "dataLayer.push";

/// In which state it is, as its paths show it.
pub fn state(told: &Picked) -> State {
    let called = told.at(0).is(kind::FUNCTION) || told.at(1).is(kind::FUNCTION);
    if called { State::Ready { confirms: false } } else { State::Missing }
}

/// Experiment and variation as GA4 builds audiences from them: tool, experiment, variation. Values
/// longer than 100 characters are cut by GA4.
pub fn variant(decision: &Decision) -> String {
    join(&[decision.source_name(), "-", decision.experiment(), "-", decision.variation()])
}
