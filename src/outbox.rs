//! The outbox: one state machine that holds each decision until its destinations have it.
//!
//! It has no clock and no browser. It is told what happens, and effects come out of [`Outbox::poll`],
//! one by one, so that whoever does them may come back with new events in between. A decision is
//! remembered as handed over when it was, not before.

use crate::gate::{Consent, Decision, Hold, Judgment, Options, Reason, Verdict, hold, judge};
use crate::key::Hash;
use crate::parcel::{Destination, Item, Mark, Memory, Set, State, only};

mod effect;

pub use effect::{Effect, Step};

/// How many decisions wait at most. The oldest stay.
pub const LIMIT: usize = 1000;

/// How long handing over may keep the page busy in one go, in ms; half of a long task.
pub const SLICE_MS: f64 = 25.0;

/// How often a destination may throw at one decision on one page.
const FAILURES: u8 = 3;

/// How long we wait for a real tool to confirm what it took over from its stub, in ms of running
/// time. Then taking over counts as confirmation.
const GRACE_MS: f64 = 10_000.0;

/// How many decisions that are told already are kept for destinations that come late.
const LATECOMERS: usize = 100;

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

/// The effects that wait for their turn.
struct Queue {
    effects: Vec<f64>,
    /// How many of them had it already: taking them from the front of a long list would move all
    /// others each time.
    had: usize,
}

impl Queue {
    #[inline(always)]
    fn push(&mut self, effect: Effect) {
        let (id, rest) = effect.parts();
        self.put(id, rest);
    }

    #[inline(never)]
    fn put(&mut self, id: u32, rest: u32) {
        self.effects.push(f64::from(id) * 8_388_608.0 + f64::from(rest));
    }

    /// The next one, or 0.
    fn next(&mut self) -> f64 {
        if let Some(effect) = self.effects.get(self.had) {
            self.had += 1;
            return *effect;
        }
        self.effects.clear();
        self.had = 0;
        0.0
    }
}

/// The outbox. See the module.
pub struct Outbox {
    options: Options,
    /// Milliseconds since the epoch. Only this clock means something to the next page.
    wall: f64,
    /// Milliseconds on a clock that never jumps back.
    steady: f64,
    /// Milliseconds that the page was running.
    running: f64,
    /// For how long handing over has kept the page busy.
    spent: f64,
    called_at: f64,
    consent: Consent,
    /// What the dedupe scope calls one period: the id of the session, for instance.
    period: Hash,
    /// Whether there was news of a redirect since the facts were last told.
    redirects: bool,
    leaving: bool,
    release: bool,
    /// Whether there are items with which nothing more can happen.
    litter: bool,
    /// The destinations we serve.
    used: Set,
    /// Those where every decision has to go: with `destinations: "auto"`, only once they were seen.
    wanted: Set,
    /// Those that have to be looked for.
    look: Set,
    /// Those that threw in this round.
    blocked: Set,
    stubs: Set,
    ready: Set,
    items: Vec<Item>,
    effects: Queue,
}

impl Outbox {
    /// An outbox that serves nobody.
    pub const NONE: Outbox = Outbox {
        options: Options { poll_interval_ms: 0.0, max_wait_ms: 0.0, carry_over_ms: 0.0, flags: 0 },
        wall: 0.0,
        steady: 0.0,
        running: 0.0,
        spent: 0.0,
        called_at: 0.0,
        consent: Consent::Granted,
        period: Hash::NONE,
        redirects: false,
        leaving: false,
        release: false,
        litter: false,
        used: 0,
        wanted: 0,
        look: 0,
        blocked: 0,
        stubs: 0,
        ready: 0,
        items: Vec::new(),
        effects: Queue { effects: Vec::new(), had: 0 },
    };

    /// Starts anew, with these options and destinations.
    pub fn init(&mut self, options: Options, destinations: Set) {
        let (wall, steady) = (self.wall, self.steady);
        let wanted = if options.is(Options::FINDS_DESTINATIONS) { 0 } else { !0 };
        *self = Outbox { options, used: destinations, wanted, wall, steady, ..Outbox::NONE };
    }

    /// The moment of all that happens until it is told again: ms since the epoch, and on a clock that
    /// never jumps back. Time counts while the page runs: a gap longer than two looks was sleep.
    pub fn now(&mut self, wall: f64, steady: f64) {
        let passed = steady - self.steady;
        let most = 2.0 * self.options.poll_interval_ms;
        if passed > 0.0 {
            self.running += if passed < most { passed } else { most };
        }
        self.wall = wall;
        self.steady = steady;
        if steady - self.called_at > 2.0 * SLICE_MS {
            self.spent = 0.0;
        }
    }

    /// How many decisions are pending.
    pub fn pending(&self) -> u32 {
        self.items.iter().map(|item| u32::from(!item.told)).sum()
    }

    /// The item with this number, if it is still here.
    pub fn item(&self, id: u32) -> Option<&Item> {
        self.items.get(self.position(id)?)
    }

    /// The idempotency key of what goes to a destination: the same whenever this decision is told
    /// again, different for every visitor, whom `who` stands for.
    pub fn message_id(&self, id: u32, destination: Destination, who: &Hash) -> Hash {
        let mut hash = Hash::new();
        if let Some(item) = self.item(id) {
            for part in [who, &item.decision.key, &item.decision.outcome, &item.period] {
                hash.hash(part);
            }
            hash.unit(item.occurrence(destination).into());
            if self.options.is(Options::REPEATS) {
                hash.number(id);
            }
        }
        hash
    }

    /// A decision came in, with what is remembered for its key.
    pub fn decided(&mut self, id: u32, decision: Decision, memory: &Memory) {
        let mut item = Item { id, decision, period: self.period, received_at: self.wall, ..Item::NONE };
        let mut end = (Verdict::Expired, Reason::Unwanted);
        for (destination, known) in (0..).zip(memory) {
            let it = self.used & only(destination);
            if it == 0 {
                continue;
            }
            let last = self.last_mark(&self.items, &item, destination, *known);
            let same = last.is_some_and(|mark| mark.same);
            let before = last.map_or(0, |mark| mark.occurrence);
            item.put(destination, before.saturating_add(u16::from(!same)));
            if known.is_some() {
                item.known |= it;
            }
            match judge(&decision, self.consent, &self.options, same) {
                Judgment::Drop(verdict, reason) => {
                    end = (verdict, reason);
                    continue;
                }
                Judgment::Deliver => {}
                Judgment::Hold(hold) => item.hold = Some(hold),
            }
            item.open |= it;
        }
        item.recalled = item.all;
        if item.open != 0 && self.is_full() {
            end = (Verdict::Expired, Reason::Full);
            item.open = 0;
        }
        if item.open == 0 {
            self.effects.push(Effect::Ended(id, end.0, end.1, 0));
            return;
        }
        if let Some(hold) = item.hold {
            self.effects.push(Effect::Trace(id, Step::Held(hold)));
        }
        self.take_in(item);
    }

    /// An earlier page left an item to us: its number, decision, period, when it was received, and
    /// its parcels.
    pub fn carried(&mut self, mut item: Item) {
        item.carried = true;
        item.all &= self.used;
        item.open = item.all;
        let overdue = self.is_overdue(&item) || self.options.carry_over_ms == 0.0;
        if item.all == 0 || overdue || self.is_full() {
            item.expired = item.all;
            self.forget(&item);
            let reason = if overdue { Reason::Overdue } else { Reason::Full };
            self.effects.push(Effect::Ended(item.id, Verdict::Expired, reason, 0));
            return;
        }
        self.effects.push(Effect::Trace(item.id, Step::Resumed));
        self.take_in(item);
    }

    #[inline(never)]
    fn take_in(&mut self, mut item: Item) {
        item.arrived = self.running;
        item.came_at = self.steady;
        item.new = true;
        if self.consent == Consent::Unknown {
            item.blind = item.open;
        }
        // What an earlier page left is older than all that came on this one.
        let later = |other: &Item| item.carried && other.received_at > item.received_at;
        let at = self.items.iter().position(later).unwrap_or(self.items.len());
        self.items.insert(at, item);
        self.store(at);
        self.look_for_waiting();
    }

    /// What was last handed over for the key of this item in the running period, or waits among these
    /// items.
    #[inline(never)]
    fn last_mark(
        &self,
        items: &[Item],
        item: &Item,
        destination: Destination,
        known: Option<Mark>,
    ) -> Option<Mark> {
        let counts = |it: &&Item| {
            it.decision.key == item.decision.key && it.all & only(destination) != 0 && self.is_running(it)
        };
        let waiting = items.iter().rev().find(counts).map(|it| Mark {
            occurrence: it.occurrence(destination),
            same: it.decision.outcome == item.decision.outcome,
        });
        // The later of what waits and what is remembered.
        match (waiting, known) {
            (Some(waiting), Some(known)) if known.occurrence > waiting.occurrence => Some(known),
            (waiting, known) => waiting.or(known),
        }
    }

    /// Whether it was made in the dedupe period that is running: an earlier page, tab or session may
    /// have left it.
    fn is_running(&self, item: &Item) -> bool {
        item.period == self.period && !self.options.is(Options::REPEATS)
    }

    /// Whether a redirect of a decision is in flight. What is told by [`Outbox::facts`] next is judged
    /// by it.
    pub fn leaving(&mut self, id: u32, yes: bool) {
        if let Some(at) = self.position(id)
            && let Some(item) = self.items.get_mut(at)
            && item.decision.is(Decision::LEAVING) != yes
        {
            item.decision.flags ^= Decision::LEAVING;
            self.redirects = true;
        }
    }

    /// What is known about the page now.
    pub fn facts(&mut self, consent: Consent, period: Hash) {
        if !std::mem::take(&mut self.redirects) && consent == self.consent && period == self.period {
            return;
        }
        self.consent = consent;
        self.period = period;
        if consent == Consent::Denied {
            for item in self.items.iter().filter(|item| !item.told) {
                self.effects.push(Effect::Ended(item.id, Verdict::NoConsent, Reason::Refused, 0));
            }
            self.items.clear();
            self.effects.push(Effect::Purge);
            return;
        }
        for at in 0..self.items.len() {
            let Some(item) = self.items.get_mut(at) else { break };
            let before = item.hold;
            item.hold = hold(&item.decision, consent);
            // Waiting for consent is not waiting for a destination.
            if before != item.hold {
                item.arrived = self.running;
                // Before consent nothing was read that names the session; now it may be.
                item.rename(period);
                for destination in each(item.blind) {
                    self.effects.push(Effect::Recall(item.id, destination));
                }
            }
            self.store(at);
        }
        self.look_for_waiting();
    }

    /// A destination was looked for, and is in this state.
    pub fn found(&mut self, destination: Destination, state: State) {
        let it = only(destination) & self.used;
        self.stubs &= !it;
        self.ready &= !it;
        match state {
            State::Stub => self.stubs |= it,
            State::Ready | State::ReadyAndConfirms => self.ready |= it,
            State::Missing | State::Failed => {}
        }
        if state != State::Missing {
            self.wanted |= it;
        }
        for at in 0..self.items.len() {
            let Some(item) = self.items.get_mut(at) else { break };
            let wanted = item.wanted(self.wanted);
            if item.open & it == 0 {
                continue;
            }
            let Some(parcel) = item.parcels.get_mut(destination as usize) else { return };
            let changed = parcel.seen.replace(state) != Some(state);
            if item.stub & it != 0 {
                if state == State::ReadyAndConfirms {
                    parcel.taken_at = self.running;
                    item.stub &= !it;
                    item.tool |= it;
                    item.taken |= it;
                    self.effects.push(Effect::Trace(item.id, Step::Tool(destination)));
                } else if state == State::Ready {
                    self.confirm(at, destination);
                }
            } else if item.taken & it != 0 {
                if self.running - parcel.taken_at >= GRACE_MS {
                    self.confirm(at, destination);
                }
            } else if changed && wanted & !item.tool & it != 0 && (self.stubs | self.ready) & it == 0 {
                self.effects.push(Effect::Trace(item.id, Step::Waiting(destination, state)));
            }
        }
        self.sweep();
    }

    /// This is remembered for the key of an item.
    pub fn recalled(&mut self, id: u32, destination: Destination, memory: &Memory) {
        let it = only(destination);
        let known = memory.get(destination as usize).copied().flatten();
        let Some(at) = self.position(id) else { return };
        let Some((item, before)) = self.items.get(..=at).and_then(<[Item]>::split_last) else { return };
        let mut now = *item;
        let reason;
        if item.blind & item.open & it != 0 {
            // What came when nothing could be read back is compared now: it may be a duplicate of,
            // or a change from, what was handed over before.
            let last = self.last_mark(before, item, destination, known);
            now.blind &= !it;
            now.recalled |= it;
            now.known &= !it;
            now.put(destination, last.map_or(0, |mark| mark.occurrence).saturating_add(1));
            now.rename(self.period);
            if last.is_some_and(|mark| mark.same) {
                now.open &= !it;
            } else if now.stored {
                self.effects.push(Effect::Store(id));
            }
            reason = Reason::Before;
        } else if known.is_some_and(|mark| mark.same && mark.occurrence == item.occurrence(destination)) {
            // The very same: a change that overtook this one says nothing of it.
            now.open &= !it;
            reason = Reason::OtherTab;
        } else {
            return;
        }
        if known.is_some() {
            now.known |= it;
        }
        if let Some(item) = self.items.get_mut(at) {
            *item = now;
        }
        self.finish(at, reason, 0);
        self.sweep();
    }

    /// A destination was called with what it was to be sent.
    pub fn called(&mut self, id: u32, destination: Destination, call: Call) {
        let passed = self.steady - self.called_at;
        if passed > 0.0 {
            self.spent += passed;
        }
        self.called_at = self.steady;
        let it = only(destination);
        let real = self.stubs & it == 0;
        if call == Call::Threw {
            self.blocked |= it;
        }
        // Nobody confirms thousands at once: past the limit, a return has to do.
        let confirmed = real && (call == Call::Returned || self.items.len() > LIMIT);
        let Some(at) = self.position(id) else { return };
        let Some(item) = self.items.get_mut(at).filter(|item| item.all & it != 0) else { return };
        if call == Call::Threw {
            if let Some(parcel) = item.parcels.get_mut(destination as usize) {
                parcel.failures = parcel.failures.saturating_add(1);
                if parcel.failures >= FAILURES {
                    item.tired |= it;
                }
            }
            self.effects.push(Effect::Trace(id, Step::Threw(destination)));
            return;
        }
        item.stub &= !it;
        item.tool &= !it;
        item.offered |= it;
        if real {
            item.tool |= it;
            self.effects.push(Effect::Trace(id, Step::Tool(destination)));
        } else {
            item.stub |= it;
            self.effects.push(Effect::Trace(id, Step::Stub(destination)));
        }
        // Before it is remembered: else what was offered would look like another tab's.
        if !confirmed {
            self.store_again(at);
        }
        self.remember(at, destination);
        if confirmed {
            self.confirm(at, destination);
        }
        self.sweep();
    }

    /// A destination told that it took charge.
    pub fn confirmed(&mut self, id: u32, destination: Destination) {
        if let Some(at) = self.position(id) {
            self.confirm(at, destination);
            self.sweep();
        }
    }

    #[inline(never)]
    fn confirm(&mut self, at: usize, destination: Destination) {
        let it = only(destination);
        let Some(item) = self.items.get_mut(at).filter(|item| item.open & it != 0) else { return };
        let (id, early) = (item.id, item.waiting() & it != 0);
        item.open &= !it;
        item.delivered |= it;
        // A tool may take charge before its `track` has returned.
        if early {
            self.remember(at, destination);
        }
        self.effects.push(Effect::Trace(id, Step::Confirmed(destination)));
        self.finish(at, Reason::TookCharge, destination);
        // It may wait for others: the next page offers it to them alone.
        self.store_again(at);
    }

    /// The page wants everything tried again, whatever a destination threw at it.
    pub fn flush(&mut self) {
        for item in &mut self.items {
            item.tired = 0;
            for parcel in &mut item.parcels {
                parcel.failures = 0;
            }
        }
    }

    /// The page is being left.
    pub fn hidden(&mut self) {
        self.leaving = true;
        self.release = true;
        self.tick();
    }

    /// The page came back from the back-forward cache.
    pub fn shown(&mut self) {
        self.leaving = false;
        self.tick();
    }

    /// Some time passed, or something happened that makes another look worth while.
    pub fn tick(&mut self) {
        // Nobody waits longer for those that come late than for the others.
        let over = self.wall - self.options.max_wait_ms;
        for item in &mut self.items {
            item.recalled = 0;
            item.new = false;
            if item.told && item.received_at <= over {
                item.open = 0;
                self.litter = true;
            }
        }
        self.sweep();
        self.spent = 0.0;
        self.blocked = 0;
        self.look_for_waiting();
    }

    /// The next thing to do, as one number: what [`Effect::parts`] says, the item in front:
    /// kind + 16 * (destination + 8 * (argument + 65536 * item)); 0 when there is nothing.
    pub fn poll(&mut self) -> f64 {
        let effect = self.effects.next();
        if effect != 0.0 {
            return effect;
        }
        if self.look != 0 {
            let destination = self.look.trailing_zeros();
            self.look &= self.look - 1;
            self.effects.push(Effect::Look(destination));
        } else if !self.send_next() {
            self.give_up();
            self.sweep();
            if self.effects.effects.is_empty() && std::mem::take(&mut self.release) {
                self.effects.push(Effect::Release);
            }
        }
        self.effects.next()
    }

    /// In how many ms the outbox wants a [`Outbox::tick`]; -1 when it wants none.
    pub fn wake_in(&self) -> f64 {
        let mut wanted = -1.0;
        if self.leaving {
            return wanted;
        }
        for item in self.items.iter().filter(|item| !item.told) {
            if item.is_fresh() && item.hold.is_none() || self.spent >= SLICE_MS && self.waits(item) {
                return 0.0;
            }
            // Nothing is asked of time for those that may come late: their script's load wakes us.
            let due = item.wanted(self.wanted) & item.unsettled() & !item.tired;
            if due != 0 && !item.parked && item.hold != Some(Hold::Consent) {
                wanted = self.options.poll_interval_ms;
            }
        }
        wanted
    }

    fn is_paused(&self) -> bool {
        self.spent >= SLICE_MS && !self.leaving
    }

    fn send_next(&mut self) -> bool {
        let takes = (self.stubs | self.ready) & !self.blocked;
        if self.is_paused() || self.consent != Consent::Granted {
            return false;
        }
        for at in 0..self.items.len() {
            let Some(item) = self.items.get(at) else { break };
            let due = item.waiting() & takes & !item.tired;
            if due == 0 || item.hold.is_some() || item.is_fresh() {
                continue;
            }
            let (id, destination) = (item.id, due.trailing_zeros());
            // Other tabs deliver too: what was not compared in this round is compared now. What
            // an earlier page handed over is offered again in any case, under the same
            // idempotency key: it may never have arrived.
            if (item.offered | item.recalled) & only(destination) == 0 && self.is_running(item) {
                if let Some(item) = self.items.get_mut(at) {
                    item.recalled |= only(destination);
                }
                self.effects.push(Effect::Recall(id, destination));
            } else {
                self.called_at = self.steady;
                self.effects.push(Effect::Send(id, destination));
            }
            return true;
        }
        false
    }

    /// From here on the same decision is a duplicate.
    #[inline(never)]
    fn remember(&mut self, at: usize, destination: Destination) {
        if let Some(item) = self.items.get(at).filter(|item| self.is_running(item)) {
            self.effects.push(Effect::Remember(item.id, destination, item.occurrence(destination)));
        }
    }

    /// It never arrived as far as we know: the same decision may be told again.
    #[inline(never)]
    fn forget(&mut self, item: &Item) {
        if self.is_running(item) {
            for destination in each(item.expired) {
                self.effects.push(Effect::Forget(item.id, destination, item.occurrence(destination)));
            }
        }
    }

    /// Ends the item when its last parcel has ended. Delivered anywhere is delivered. Destinations
    /// that nobody has seen yet are not waited for, but may still come.
    #[inline(never)]
    fn finish(&mut self, at: usize, reason: Reason, destination: Destination) {
        let told = self.items.iter().filter(|item| item.told && item.open != 0).count();
        let Some(item) = self.items.get_mut(at) else { return };
        // Who is on the page is known once everybody was looked for.
        let awaited = if self.look != 0 { item.all } else { item.wanted(self.wanted) };
        if awaited & item.open == 0 && !item.told {
            item.told = true;
            if std::mem::take(&mut item.stored) {
                self.effects.push(Effect::Erase(item.id));
            }
            if told >= LATECOMERS {
                item.open = 0;
            }
            let verdict = if item.delivered != 0 {
                Verdict::Delivered
            } else if item.expired != 0 {
                Verdict::Expired
            } else {
                Verdict::Duplicate
            };
            let item = *item;
            self.forget(&item);
            self.effects.push(Effect::Ended(item.id, verdict, reason, destination));
        }
        self.litter = true;
    }

    /// Lets go of the items with which nothing more can happen.
    #[inline(never)]
    fn sweep(&mut self) {
        if std::mem::take(&mut self.litter) {
            self.items.retain(|item| item.open != 0);
        }
    }

    /// Called when everybody who could take something has it, or the rest has to pause.
    fn give_up(&mut self) {
        let paused = self.is_paused();
        for at in 0..self.items.len() {
            let Some(item) = self.items.get(at) else { break };
            if item.hold == Some(Hold::Consent) || item.is_fresh() || item.told {
                continue;
            }
            let open = item.open & item.wanted(self.wanted);
            let waits = self.waits(item);
            let overdue = self.is_overdue(item);
            let waited_out = self.running - item.arrived >= self.options.max_wait_ms;
            let Some(item) = self.items.get_mut(at) else { break };
            let reason = if open == 0 {
                // Those it has to go to have it from an earlier page.
                Reason::Before
            } else if paused {
                continue;
            } else if waits && overdue {
                Reason::Overdue
            } else if !item.parked && open & !item.tool != 0 && waited_out {
                item.parked = true;
                self.effects.push(Effect::Trace(item.id, Step::Parked));
                if !waits || self.options.carry_over_ms > 0.0 {
                    continue;
                }
                Reason::WaitedOut
            } else {
                continue;
            };
            if reason != Reason::Before {
                item.expired |= item.open;
                item.open = 0;
            }
            self.finish(at, reason, 0);
        }
    }

    fn is_overdue(&self, item: &Item) -> bool {
        let limit = self.options.carry_over_ms;
        // A clock that is set forward lets nothing expire that came on this very page.
        limit > 0.0
            && self.wall - item.received_at > limit
            && (item.carried || self.steady - item.came_at > limit)
    }

    fn is_full(&self) -> bool {
        let waiting = || self.items.iter().filter(|item| self.waits(item)).count();
        self.items.len() >= LIMIT && (waiting() >= LIMIT || self.items.len() >= 2 * LIMIT)
    }

    /// Whether an item waits for a destination that it has to go to.
    fn waits(&self, item: &Item) -> bool {
        !item.told && item.waiting() & item.wanted(self.wanted) != 0
    }

    /// Has an item written down as soon as it may be.
    #[inline(never)]
    fn store(&mut self, at: usize) {
        if self.consent == Consent::Granted
            && self.options.carry_over_ms > 0.0
            && let Some(item) = self.items.get_mut(at)
            && !item.stored
            && !item.told
        {
            item.stored = true;
            self.effects.push(Effect::Store(item.id));
        }
    }

    /// Has what was written down brought up to date.
    fn store_again(&mut self, at: usize) {
        if let Some(item) = self.items.get(at).filter(|item| item.stored) {
            self.effects.push(Effect::Store(item.id));
        }
    }

    fn look_for_waiting(&mut self) {
        for item in &self.items {
            if item.hold != Some(Hold::Consent) {
                self.look |= item.unsettled();
            }
        }
    }

    #[inline(never)]
    fn position(&self, id: u32) -> Option<usize> {
        self.items.iter().position(|item| item.id == id)
    }
}

/// The destinations of a set.
fn each(set: Set) -> impl Iterator<Item = Destination> {
    (0..).take_while(move |it| set >> it != 0).filter(move |it| set >> it & 1 != 0)
}
