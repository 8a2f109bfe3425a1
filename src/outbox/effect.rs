//! What comes out of the outbox, each as one number.

use crate::gate::{Hold, Reason, Verdict};
use crate::parcel::{Destination, State};

/// What is to be done. Whoever does it knows the items by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write the item down for the next page.
    Store(u32),
    /// The item needs no writing down any more.
    Erase(u32),
    /// Look for a destination; answer with [`found`](super::Outbox::found).
    Look(Destination),
    /// Look up what is remembered for the item's key; answer with [`recalled`](super::Outbox::recalled).
    Recall(u32, Destination),
    /// Hand over; answer with [`called`](super::Outbox::called).
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
    /// The decision has ended; where a destination took charge, with the last one that did.
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
    /// The item it is about, and all else in one number: kind + 16 * (destination + 8 * argument).
    /// Always inline: where an effect is made all of it is known but the destination.
    #[inline(always)]
    pub fn parts(self) -> (u32, u32) {
        let (kind, id, destination, argument) = match self {
            Effect::Store(id) => (1, id, 0, 0),
            Effect::Erase(id) => (2, id, 0, 0),
            Effect::Look(destination) => (3, 0, destination, 0),
            Effect::Recall(id, destination) => (4, id, destination, 0),
            Effect::Send(id, destination) => (5, id, destination, 0),
            Effect::Remember(id, destination, occurrence) => (6, id, destination, occurrence as u32),
            Effect::Forget(id, destination, occurrence) => (7, id, destination, occurrence as u32),
            Effect::Release => (8, 0, 0, 0),
            Effect::Purge => (9, 0, 0, 0),
            Effect::Trace(id, step) => {
                let (destination, argument) = step.parts();
                (10, id, destination, argument)
            }
            Effect::Ended(id, verdict, reason, destination) => {
                (11, id, destination, verdict as u32 + 16 * reason as u32)
            }
        };
        (id, kind + 16 * (destination + 8 * argument))
    }
}

impl Step {
    #[inline(always)]
    fn parts(self) -> (Destination, u32) {
        match self {
            Step::Held(hold) => (0, hold as u32 - 1),
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
