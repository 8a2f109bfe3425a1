//! What goes into the outbox, and what comes out of it.

use crate::decision::{Decision, Verdict};
use crate::destination::{Destination, State};
use crate::gate::{Facts, Hold, Marks};
use crate::json::join;
use crate::parcel::Item;
use crate::store::{Mark, Memory};

/// A moment, on both of the page's clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Now {
    /// Milliseconds since the epoch. Only this one means something to the next page.
    pub wall: f64,
    /// Milliseconds on a clock that never jumps back.
    pub steady: f64,
}

/// What happens to the outbox.
#[derive(Clone, Debug)]
pub enum Input {
    /// A decision came in, with what is remembered for its key.
    Decided(u32, Decision, Memory),
    /// An earlier page left an item to us.
    Carried(Item),
    /// What is known about the page changed.
    Facts(Facts),
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
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// It returned, and will not tell more.
    Returned,
    /// It returned, and will tell when it took charge.
    WillConfirm,
    /// It threw.
    Threw(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write the item down for the next page.
    Store(u32, String),
    /// The item needs no writing down any more.
    Erase(u32),
    /// Look for a destination; answer with [`Input::Found`].
    Look(Destination),
    /// Look up what is remembered for the key; answer with [`Input::Recalled`].
    Recall(u32, Destination, String),
    /// Hand over; answer with [`Input::Called`].
    Send(Box<Sending>),
    /// Remember what was handed over for a key.
    Remember(String, Destination, Mark),
    /// Forget it again, if it is what is remembered: it never arrived.
    Forget(String, Destination, Mark),
    /// Leave what is pending to other pages.
    Release,
    /// Forget everything that was ever stored.
    Purge,
    /// Something happened to the decision that people may want to know.
    Trace(u32, Step),
    /// The decision has ended.
    Ended(u32, Verdict, String),
}

/// A decision on its way to a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The decision's number.
    pub id: u32,
    /// Where to.
    pub destination: Destination,
    /// What.
    pub decision: Decision,
    /// Under which idempotency key.
    pub message_id: String,
    /// With which marks.
    pub marks: Marks,
}

/// A step of a decision, as the report tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It must wait.
    Held(Hold),
    /// Its destination is not there, or not ready.
    Waiting(Destination, State),
    /// The wait on this page is over.
    Parked,
    /// An earlier page left it to us.
    Resumed,
    /// Handed to the stub.
    Stub(Destination),
    /// Handed to the real tool.
    Tool(Destination),
    /// The destination took charge.
    Confirmed(Destination),
    /// The destination threw.
    Threw(Destination, String),
}

impl Step {
    /// The step in words.
    pub fn told(&self) -> String {
        let (before, destination, after) = match self {
            Step::Held(Hold::Consent) => return "held: waits for consent".to_owned(),
            Step::Held(Hold::Redirect) => return "held: told on the landing page of its redirect".to_owned(),
            Step::Parked => return "the wait on this page is over: left for the next page".to_owned(),
            Step::Resumed => return "taken over from an earlier page".to_owned(),
            Step::Waiting(destination, state) => {
                return join(&[destination.name(), " is ", state.name(), ": waits"]);
            }
            Step::Threw(destination, error) => return join(&[destination.name(), " threw: ", error]),
            Step::Stub(destination) => ("handed to the stub of ", destination, ""),
            Step::Tool(destination) => ("handed to ", destination, ""),
            Step::Confirmed(destination) => ("", destination, " took charge"),
        };
        join(&[before, destination.name(), after])
    }
}
