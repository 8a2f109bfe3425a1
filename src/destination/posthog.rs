//! PostHog: `window.posthog`, an array of calls until its script has loaded.

use crate::json::{Fields, join};
use crate::outbox::Sending;

/// What [`queue`](crate::destination::queue) wants to know of `window`.
pub const PATHS: &str = "posthog.capture posthog posthog.__loaded";

/// The options of `capture`: the idempotency key and the time (ISO 8601).
pub fn options(sending: &Sending, time: &str) -> Fields {
    let mut options = Fields::default();
    options.text("uuid", &uuid(&sending.message_id));
    options.text("timestamp", time);
    options
}

/// The idempotency key in the form of a UUID of version 8, the one for hashes of one's own: another
/// form is replaced by PostHog with a random one.
fn uuid(message_id: &str) -> String {
    let part = |from: usize, to: usize| message_id.get(from..to).unwrap_or_default();
    // The key begins with "db-". The digits of version and variant give way.
    join(&[part(3, 11), "-", part(11, 15), "-8", part(16, 19), "-a", part(20, 23), "-", part(23, 35)])
}
