//! Amplitude: `window.amplitude`, be it the stub of its snippet or the Browser SDK.

use crate::decision::{Decision, Text};
use crate::destination::State;
use crate::json::{Fields, join};
use crate::outbox::Sending;
use crate::parcel::unpack;
use crate::view::{Picked, kind};

/// What [`state`] wants to know of `window`.
pub const PATHS: &str = "amplitude.track amplitude.Identify amplitude.invoked amplitude.runQueuedFunctions";

/// In which state `window.amplitude` is, as [`PATHS`] shows it. `blocked` says that its script could
/// not be loaded.
///
/// The SDK fills the snippet's own object. An SDK that waits for `init` queues too, and its promises
/// tell: asking for the device would be one more call in the stub's queue with every look.
pub fn state(told: &Picked, blocked: bool) -> State {
    let is = |place: usize| told.at(place).is(kind::FUNCTION);
    match (is(0) && is(1), told.at(2).is_true() && !is(3)) {
        (false, _) => State::Missing,
        (_, false) => State::Ready { confirms: true },
        _ => State::queues(blocked),
    }
}

/// The options of `track`: the time in ms, and the idempotency key.
pub fn options(sending: &Sending) -> Fields {
    let mut options = Fields::default();
    options.text("insert_id", &sending.message_id);
    options.number("time", sending.decision.decided_at);
    options
}

/// The user property of a flag of Optimizely's, as Amplitude's guide for it names it: the variation,
/// or `off` where the flag is disabled.
pub fn user(decision: &Decision) -> Fields {
    let (mut user, mut own) = (Fields::default(), Fields::default());
    if decision.source.name() == "optimizelyFeature" {
        unpack(decision.get(Text::Properties), &mut own);
        let disabled = own.0.iter().any(|(name, value)| name == "enabled" && value == "false");
        let variation = if disabled { "off" } else { decision.first_of(&[Text::VariationKey], "off") };
        user.text(&join(&["[Optimizely] ", decision.get(Text::FlagKey)]), variation);
    }
    user
}
