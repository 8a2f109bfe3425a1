//! The door: what JavaScript calls, in numbers alone, so that the module needs no glue and imports
//! nothing.
//!
//! What is longer than a number comes in pieces: the letters of texts that are hashed, what is
//! remembered for each destination, the parcels of an item. Numbers that mean nothing are ignored.

use std::cell::UnsafeCell;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::gate::{Consent, Decision, Options};
use crate::key::Hash;
use crate::outbox::{Call, Outbox};
use crate::parcel::{Destination, Item, Mark, Memory, NOBODY, PLACES, State, only};

/// The period of a carried item is the one in its register.
const THIS_PERIOD: u32 = 1 << 10;

// In this order: the outbox is large, and small addresses are short where they are named.
#[repr(C)]
struct Desk {
    /// The hash over the letters that came since the last one was kept. Zeros before `init`: what is not
    /// zero here has to be downloaded.
    letters: Hash,
    /// The last hash that was made.
    made: Hash,
    /// Key, outcome, period and who.
    registers: [Hash; 4],
    memory: Memory,
    /// The item that is carried next.
    item: Item,
    outbox: Outbox,
}

impl Desk {
    fn decision(&self, flags: u32) -> Decision {
        let [key, outcome, ..] = self.registers;
        Decision { key, outcome, flags }
    }

    fn period(&self) -> Hash {
        let [_, _, period, _] = self.registers;
        period
    }
}

thread_local! {
    static DESK: UnsafeCell<Desk> = const {
        UnsafeCell::new(Desk {
            outbox: Outbox::NONE,
            letters: Hash::NONE,
            made: Hash::NONE,
            registers: [Hash::NONE; 4],
            memory: [Mark::NONE; PLACES],
            item: Item::NONE,
        })
    };
}

fn desk<T>(does: impl FnOnce(&mut Desk) -> T) -> T {
    // SAFETY: nothing that is done here comes back through the door.
    DESK.with(|desk| does(unsafe { &mut *desk.get() }))
}

/// What a fresh instance of the module begins with; see [`Outbox::renew`].
pub fn renew() {
    desk(|desk| {
        desk.outbox.renew();
        desk.registers = [Hash::NONE; 4];
        (desk.made, desk.memory, desk.item) = (Hash::NONE, [Mark::NONE; PLACES], Item::NONE);
    });
}

/// The moment of all calls that follow: ms since the epoch, and ms on a clock that never jumps back.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn now(wall: f64, steady: f64) {
    desk(|desk| desk.outbox.now(wall, steady));
}

/// One more UTF-16 code unit of a text that is hashed.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn letter(unit: u32) {
    desk(|desk| desk.letters.unit(unit));
}

/// The hash of the letters since the last `keep` goes to a register: 0 key, 1 outcome, 2 period, 3 who.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn keep(register: u32) {
    desk(|desk| {
        desk.made = std::mem::take(&mut desk.letters);
        if let Some(place) = desk.registers.get_mut(register as usize) {
            *place = desk.made;
        }
    });
}

/// 32 bits of what `keep` or `message_id` made last; 0 are the most significant ones.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn word(index: u32) -> u32 {
    desk(|desk| desk.made.word(index))
}

/// A fresh outbox, also in the place of one that was waiting for consent. The flags: bits 0 and 1
/// `preview`, bits 2 and 3 `qa` (0 drop, 1 mark, 2 send), bits 4 and 5 `holdback` (0 auto, 1 drop, 2 send),
/// bit 6 `dedupe` is "none", bit 7 `destinations` is "auto". The destinations: a bit for each.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn init(poll: f64, max_wait: f64, carry_over: f64, flags: u32, destinations: u32) {
    let options = Options { poll_interval_ms: poll, max_wait_ms: max_wait, carry_over_ms: carry_over, flags };
    desk(|desk| {
        desk.letters = Hash::new();
        desk.outbox.init(options, destinations);
    });
}

/// Whether we may store and send: 0 granted, 1 unknown, 2 denied. The period is what its register holds.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn facts(consent: u32) {
    let consent = match consent {
        0 => Consent::Granted,
        1 => Consent::Unknown,
        2 => Consent::Denied,
        _ => return,
    };
    desk(|desk| desk.outbox.facts(consent, desk.period()));
}

/// Whether a redirect of this decision is in flight; the next `facts` judges by it.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn leaving(id: u32, yes: bool) {
    desk(|desk| desk.outbox.leaving(id, yes));
}

/// What is remembered of a destination, for the next `decided` or `recalled`: the occurrence, and
/// whether its outcome is that of the decision asked about.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn remembered(destination: u32, occurrence: u32, same: bool) {
    desk(|desk| {
        if let Some(mark) = desk.memory.get_mut(destination as usize) {
            *mark = Mark::new(counted(occurrence), same);
        }
    });
}

/// A decision came in. Its key and outcome are what their registers hold.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn decided(id: u32, flags: u32) {
    desk(|desk| {
        let decision = desk.decision(flags);
        desk.outbox.decided(id, decision, &desk.memory);
        desk.memory = [Mark::NONE; PLACES];
    });
}

/// A parcel of the next item that is `carried`.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn parcel(destination: u32, occurrence: u32, offered: bool) {
    let destination = named(destination);
    desk(|desk| {
        desk.item.put(destination, counted(occurrence));
        if offered {
            desk.item.offered |= only(destination);
        }
    });
}

/// An item that an earlier page left to us. Its key and outcome are what their registers hold, its
/// period too if bit 10 is set; else it is of another period.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn carried(id: u32, flags: u32, received_at: f64) {
    desk(|desk| {
        desk.item.id = id;
        desk.item.decision = desk.decision(flags);
        desk.item.period = if flags & THIS_PERIOD != 0 { desk.period() } else { Hash::NONE };
        desk.item.received_at = received_at;
        desk.outbox.carried(&mut desk.item);
        desk.item = Item::NONE;
    });
}

/// A destination was looked for: 0 missing, 1 a stub, 2 ready, 3 ready and confirms, 4 failed.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn found(destination: u32, state: u32) {
    let state = match state {
        0 => State::Missing,
        1 => State::Stub,
        2 => State::Ready,
        3 => State::ReadyAndConfirms,
        4 => State::Failed,
        _ => return,
    };
    desk(|desk| desk.outbox.found(named(destination), state));
}

/// What is remembered for the key of an item was looked up.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn recalled(id: u32, destination: u32) {
    desk(|desk| {
        desk.outbox.recalled(id, named(destination), &desk.memory);
        desk.memory = [Mark::NONE; PLACES];
    });
}

/// A destination was called: 0 it returned, 1 it will confirm, 2 it threw.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn called(id: u32, destination: u32, call: u32) {
    let call = match call {
        0 => Call::Returned,
        1 => Call::WillConfirm,
        _ => Call::Threw,
    };
    desk(|desk| desk.outbox.called(id, named(destination), call));
}

/// A destination told that it took charge.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn confirmed(id: u32, destination: u32) {
    desk(|desk| desk.outbox.confirmed(id, named(destination)));
}

/// The page wants everything tried again, whatever a destination threw at it.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn flush() {
    desk(|desk| desk.outbox.flush());
}

/// Some time passed, or something happened that makes another look worth while.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn tick() {
    desk(|desk| desk.outbox.tick());
}

/// The page is being left.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn hidden() {
    desk(|desk| desk.outbox.hidden());
}

/// The page came back.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn shown() {
    desk(|desk| desk.outbox.shown());
}

/// The next thing to do, as [`Outbox::poll`] spells it; 0 for nothing.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn poll() -> f64 {
    desk(|desk| desk.outbox.poll())
}

/// In how many ms the next `tick` is wanted; -1 for none.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn wake_in() -> f64 {
    desk(|desk| desk.outbox.wake_in())
}

/// How many decisions are pending. The page counts them itself.
pub fn pending() -> u32 {
    desk(|desk| desk.outbox.pending())
}

/// Makes the idempotency key of what goes to a destination, for `word` to read.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn message_id(id: u32, destination: u32) {
    desk(|desk| {
        let [.., who] = &desk.registers;
        desk.made = desk.outbox.message_id(id, named(destination), who);
    });
}

/// The open parcel of an item for a destination: `occurrence * 2 + offered`; -1 when there is none.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn open(id: u32, destination: u32) -> i32 {
    let destination = named(destination);
    desk(|desk| {
        let it = only(destination);
        let item = desk.outbox.item(id).filter(|item| item.open & it != 0);
        item.map_or(-1, |item| {
            i32::from(item.occurrence(destination)) * 2 + i32::from(item.offered & it != 0)
        })
    })
}

/// Whether a parcel of an item waits to be handed over.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn waits(id: u32) -> bool {
    desk(|desk| desk.outbox.item(id).is_some_and(|item| item.waiting() != 0))
}

/// The destination with this number, if there is one.
fn named(destination: u32) -> Destination {
    destination.min(NOBODY)
}

/// Occurrences are counted up to where an effect has room for them.
fn counted(occurrence: u32) -> u16 {
    u16::try_from(occurrence).unwrap_or(u16::MAX)
}
