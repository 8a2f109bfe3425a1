//! Mixpanel: `window.mixpanel`, an array of calls until its script has loaded.

use crate::json::Fields;
use crate::outbox::Sending;

/// What [`queue`](crate::destination::queue) wants to know of `window`.
pub const PATHS: &str = "mixpanel.track mixpanel mixpanel.__loaded";

/// What goes among the properties: the idempotency key, 36 characters at most, and the time in
/// ms. Mixpanel compares both, and the visitor, to tell a repeat.
pub fn options(sending: &Sending) -> Fields {
    let mut options = Fields::default();
    options.text("$insert_id", &sending.message_id);
    options.number("time", sending.decision.decided_at);
    options
}
