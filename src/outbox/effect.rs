//! What goes into the outbox, and what comes out of it.

use crate::gate::{Consent, Decision, Hold, Reason, Rules, Verdict};
use crate::key::Hash;
use crate::parcel::{Destination, Item, Memory, State};

/// A moment, on both of the page's clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Now {
    /// Milliseconds since the epoch. Only this one means something to the next page.
    pub wall: f64,
    /// Milliseconds on a clock that never jumps back.
    pub steady: f64,
}

/// What the page's owner wants of the outbox.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How often to look for a missing destination.
    pub poll_interval_ms: f64,
    /// How long to look on this page.
    pub max_wait_ms: f64,
    /// How long a decision may wait across pages; with 0 it waits on this page only.
    pub carry_over_ms: f64,
    /// What the gate goes by.
    pub rules: Rules,
    /// Whether the same again is a duplicate.
    pub dedupes: bool,
    /// Whether the destinations are those that turn out to be there, of the ones below.
    pub finds_destinations: bool,
    /// The destinations, a bit for each.
    pub destinations: u32,
}

/// What is known about the page and its visitor right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether we may store and send.
    pub consent: Consent,
    /// What the dedupe scope calls one period: the id of the session, for instance.
    pub period: Hash,
}

/// What happens to the outbox.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// A decision came in, with what is remembered for its key.
    Decided(u32, Decision, Memory),
    /// An earlier page left an item to us.
    Carried(Item),
    /// What is known about the page changed.
    Facts(Facts),
    /// Whether a redirect of a decision is in flight; the next [`Input::Facts`] judges by it.
    Redirects(u32, bool),
    /// A destination was looked for.
    Found(Destination, State),
    /// What is remembered for the key of an item that is about to be handed over.
    Recalled(u32, Destination, Memory),
    /// A destination was called.
    Called(u32, Destination, Call),
    /// A destination told that it took charge.
    Confirmed(u32, Destination),
    /// The page wants everything tried again, whatever a destination threw at it.
    Flush,
    /// Some time passed, or something happened that makes another look worth while.
    Tick,
    /// The page is being left.
    Leaving,
    /// The page came back from the back-forward cache.
    Returned,
}

/// What came of calling a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It returned, and will not tell more.
    Returned,
    /// It returned, and will tell when it took charge.
    WillConfirm,
    /// It threw.
    Threw,
}

/// What is to be done. Whoever does it knows the items by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write the item down for the next page.
    Store(u32),
    /// The item needs no writing down any more.
    Erase(u32),
    /// Look for a destination; answer with [`Input::Found`].
    Look(Destination),
    /// Look up what is remembered for the item's key; answer with [`Input::Recalled`].
    Recall(u32, Destination),
    /// Hand over; answer with [`Input::Called`].
    Send(u32, Destination),
    /// Remember that this occurrence was handed over, for the item's key.
    Remember(u32, Destination, u16),
    /// Forget it again, if it is what is remembered: it never arrived.
    Forget(u32, Destination, u16),
    /// Leave what is pending to other pages.
    Release,
    /// Forget everything that was ever stored.
    Purge,
    /// Something happened to the decision that people may want to know.
    Trace(u32, Step),
    /// The decision has ended; where a destination took charge, with the number of the last one.
    Ended(u32, Verdict, Reason, Destination),
}

/// A step of a decision, as the report tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It must wait.
    Held(Hold),
    /// The wait on this page is over.
    Parked,
    /// An earlier page left it to us.
    Resumed,
    /// Its destination is not there, or not ready.
    Waiting(Destination, State),
    /// Handed to the stub.
    Stub(Destination),
    /// Handed to the real tool.
    Tool(Destination),
    /// The destination took charge.
    Confirmed(Destination),
    /// The destination threw.
    Threw(Destination),
}

impl Effect {
    /// The effect as the one number that JavaScript is told:
    /// `kind + 16 * (destination + 8 * (argument + 65536 * id))`.
    pub fn code(self) -> f64 {
        let (kind, id, destination, argument) = match self {
            Effect::Store(id) => (1, id, 0, 0),
            Effect::Erase(id) => (2, id, 0, 0),
            Effect::Look(destination) => (3, 0, destination, 0),
            Effect::Recall(id, destination) => (4, id, destination, 0),
            Effect::Send(id, destination) => (5, id, destination, 0),
            Effect::Remember(id, destination, occurrence) => (6, id, destination, occurrence.into()),
            Effect::Forget(id, destination, occurrence) => (7, id, destination, occurrence.into()),
            Effect::Release => (8, 0, 0, 0),
            Effect::Purge => (9, 0, 0, 0),
            Effect::Trace(id, step) => {
                let (destination, argument) = step.code();
                (10, id, destination, argument)
            }
            Effect::Ended(id, verdict, reason, destination) => {
                (11, id, destination, verdict as u32 + 16 * reason as u32)
            }
        };
        f64::from(kind + 16 * destination + 128 * argument) + f64::from(id) * 8_388_608.0
    }
}

impl Step {
    fn code(self) -> (Destination, u32) {
        match self {
            Step::Held(Hold::Consent) => (0, 0),
            Step::Held(Hold::Redirect) => (0, 1),
            Step::Parked => (0, 2),
            Step::Resumed => (0, 3),
            Step::Waiting(destination, state) => (destination, 4 + 16 * state as u32),
            Step::Stub(destination) => (destination, 5),
            Step::Tool(destination) => (destination, 6),
            Step::Confirmed(destination) => (destination, 7),
            Step::Threw(destination) => (destination, 8),
        }
    }
}
