//! RudderStack: `window.rudderanalytics`, an array of calls until its script has loaded.

use crate::destination::{State, queue, segment};
use crate::json::Fields;
use crate::options::Options;
use crate::outbox::Sending;
use crate::view::{Picked, kind};

/// What [`state`] wants to know of `window`.
pub const PATHS: &str = "rudderanalytics.track rudderanalytics rudderanalytics.getAnonymousId!";

/// In which state `window.rudderanalytics` is, as [`PATHS`] shows it. `blocked` says that its script
/// could not be loaded.
///
/// The real one gives an empty id before it has its configuration. Until then it keeps calls, in
/// memory only.
pub fn state(told: &Picked, blocked: bool) -> State {
    let id = told.at(2);
    match queue(told, blocked) {
        State::Missing if told.at(0).is(kind::FUNCTION) && id.is(kind::TEXT) => {
            if id.text.is_empty() {
                State::Stub
            } else {
                State::Ready { confirms: false }
            }
        }
        state => state,
    }
}

/// The options of `track`: those of Segment under its name for the time. Its `messageId` cannot be set
/// and lands in the context, where warehouses may find it.
pub fn options(sending: &Sending, time: &str, here: &str) -> Fields {
    let mut options = segment::options(sending, &Options::default(), "", here);
    options.text("originalTimestamp", time);
    options
}
