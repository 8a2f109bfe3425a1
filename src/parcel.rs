//! Items and parcels: a decision in the outbox, with one parcel for each destination.

use crate::gate::{Decision, Hold, Verdict};
use crate::key::Hash;

/// The number of a destination. Only JavaScript knows its name; one of [`DESTINATIONS`] or more is
/// nobody.
pub type Destination = u32;

/// How many destinations there are.
pub const DESTINATIONS: usize = 7;

/// In which state a destination is. JavaScript knows the states by these numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There is no trace of it.
    #[default]
    Missing,
    /// A stub that queues, which may never load.
    Stub,
    /// The real tool, which tells no more once its call returned.
    Ready,
    /// The real tool, which tells when it took charge.
    ReadyAndConfirms,
    /// It was disabled, or could not be loaded.
    Failed,
}

impl State {
    /// Whether the real tool is there.
    pub fn is_ready(self) -> bool {
        matches!(self, State::Ready | State::ReadyAndConfirms)
    }
}

/// A decision in the outbox.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// Its number on this page.
    pub id: u32,
    /// The decision.
    pub decision: Decision,
    /// One parcel for each destination, by its number.
    pub parcels: [Parcel; DESTINATIONS],
    /// The dedupe period it was made in. What is remembered of another one says nothing about it.
    pub period: Hash,
    /// When it came in, in ms since the epoch. From then on it may wait.
    pub received_at: f64,
    /// Whether an earlier page left it to us.
    pub carried: bool,
    /// Why it may not go yet.
    pub hold: Option<Hold>,
    /// Whether it is written down.
    pub stored: bool,
    /// What the clock of running time said when it came to this page.
    pub arrived: f64,
    /// What the steady clock said then.
    pub came_at: f64,
    /// In which round it came.
    pub arrived_in: u32,
    /// Whether it has waited as long as it may on this page.
    pub parked: bool,
    /// Whether its end was told. It stays for destinations that come late.
    pub told: bool,
    /// Whether nothing more can become of it. It leaves the outbox at the end of the turn.
    pub gone: bool,
}

/// What goes to one destination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parcel {
    /// Whether there is one: the decision goes to this destination.
    pub present: bool,
    /// How many changes of variation came before it, plus one.
    pub occurrence: u16,
    /// Whether it was handed over on this page, and to what.
    pub handed: Handed,
    /// Whether it ever was, on this page or an earlier one.
    pub offered: bool,
    /// How often handing over failed.
    pub failures: u8,
    /// Whether it was compared with the memory in this round.
    pub recalled_in: u32,
    /// What the clock of running time said when the real tool took over from the stub.
    pub taken_at: Option<f64>,
    /// In which state its destination was last seen.
    pub seen: Option<State>,
    /// Whether it came when nothing could be read back from storage.
    pub blind: bool,
    /// Whether its destination was handed something like it before.
    pub known: bool,
    /// How it ended, if it has.
    pub end: Option<Verdict>,
}

/// To what a parcel was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// To nothing yet, or it is just being handed over.
    No,
    /// To a stub, which may never load.
    Stub,
    /// To the real tool.
    Tool,
}

/// What was last handed to a destination for a dedupe key, seen from a decision with that key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its occurrence.
    pub occurrence: u16,
    /// Whether its outcome is that of the decision.
    pub same: bool,
}

/// What is remembered for one dedupe key within the running period: a mark for each destination.
pub type Memory = [Option<Mark>; DESTINATIONS];

impl Item {
    /// An item without parcels yet, that came in at `received_at` (ms since the epoch).
    pub const fn new(id: u32, decision: Decision, period: Hash, received_at: f64) -> Item {
        Item {
            id,
            decision,
            parcels: [Parcel::NONE; DESTINATIONS],
            period,
            received_at,
            carried: false,
            hold: None,
            stored: false,
            arrived: 0.0,
            came_at: 0.0,
            arrived_in: 0,
            parked: false,
            told: false,
            gone: false,
        }
    }

    /// The parcel for a destination.
    pub fn parcel(&self, destination: Destination) -> Option<&Parcel> {
        self.parcels.get(destination as usize).filter(|parcel| parcel.present)
    }

    /// Whether a parcel waits for its destination.
    pub fn is_waiting(&self) -> bool {
        self.parcels.iter().any(Parcel::is_waiting)
    }

    /// Whether it has to wait for the next round: Optimizely redirects in the very task in which it
    /// decides, and writes its redirect cookie after it told us.
    pub fn is_fresh(&self, round: u32) -> bool {
        self.decision.is(Decision::MAY_REDIRECT) && self.arrived_in == round && self.is_waiting()
    }
}

impl Parcel {
    /// No parcel.
    pub const NONE: Parcel = Parcel {
        present: false,
        occurrence: 0,
        handed: Handed::No,
        offered: false,
        failures: 0,
        recalled_in: 0,
        taken_at: None,
        seen: None,
        blind: false,
        known: false,
        end: None,
    };

    /// A parcel that was not handed over yet.
    pub fn new(occurrence: u16) -> Parcel {
        Parcel { present: true, occurrence, ..Parcel::NONE }
    }

    /// Whether it has not ended yet.
    pub fn is_open(&self) -> bool {
        self.present && self.end.is_none()
    }

    /// Whether it waits to be handed over.
    pub fn is_waiting(&self) -> bool {
        self.is_open() && self.handed == Handed::No
    }

    /// Whether its destination has to be looked for: to hand over, or to see whether the real
    /// tool has taken over from the stub.
    pub fn needs_looking(&self) -> bool {
        self.is_open() && (self.handed != Handed::Tool || self.taken_at.is_some())
    }
}
