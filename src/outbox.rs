//! The outbox: one state machine that holds each decision until its destinations have it.
//!
//! It has no clock and no browser. Time and events go in through [`Outbox::handle`], effects come
//! out of [`Outbox::poll`], one by one, so that whoever does them may come back with new events in
//! between. A decision is remembered as handed over when it was, not before.

use crate::gate::{Consent, Decision, Hold, Judgment, Reason, Rules, Verdict, hold, judge};
use crate::key::Hash;
use crate::parcel::{DESTINATIONS, Destination, Handed, Item, Mark, Memory, Parcel, State};

mod effect;

pub use effect::{Call, Effect, Facts, Input, Now, Options, Step};

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

/// What is known of a destination.
#[derive(Clone, Copy)]
struct Slot {
    /// Whether it is one of ours.
    used: bool,
    state: State,
    look: bool,
    blocked: bool,
    /// Whether every decision has to go there: with `destinations: "auto"`, only once it was seen.
    wanted: bool,
}

type Slots = [Slot; DESTINATIONS];

/// The effects that wait for their turn.
struct Queue {
    effects: Vec<Effect>,
    /// How many of them had it already: taking them from the front of a long list would move all
    /// others each time.
    taken: usize,
}

impl Queue {
    #[inline(never)]
    fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn next(&mut self) -> Option<Effect> {
        let next = self.effects.get(self.taken).copied();
        self.taken += 1;
        if next.is_none() {
            self.effects.clear();
            self.taken = 0;
        }
        next
    }

    fn is_empty(&self) -> bool {
        self.taken >= self.effects.len()
    }
}

/// The outbox. See the module.
pub struct Outbox {
    options: Options,
    facts: Facts,
    /// Whether it was told of a redirect since the facts were last looked at.
    redirects: bool,
    slots: Slots,
    items: Vec<Item>,
    effects: Queue,
    round: u32,
    running: f64,
    last: f64,
    spent: f64,
    called_at: f64,
    leaving: bool,
    release: bool,
}

impl Outbox {
    /// An outbox that knows no destination, to begin with.
    pub const NONE: Outbox = Outbox {
        options: Options {
            poll_interval_ms: 0.0,
            max_wait_ms: 0.0,
            carry_over_ms: 0.0,
            rules: Rules { drops_preview: false, drops_qa: false, drops_holdback: None },
            dedupes: false,
            finds_destinations: false,
            destinations: 0,
        },
        facts: Facts { consent: Consent::Granted, period: Hash::new() },
        redirects: false,
        slots: [Slot { used: false, state: State::Missing, look: false, blocked: false, wanted: false };
            DESTINATIONS],
        items: Vec::new(),
        effects: Queue { effects: Vec::new(), taken: 0 },
        round: 1,
        running: 0.0,
        last: 0.0,
        spent: 0.0,
        called_at: 0.0,
        leaving: false,
        release: false,
    };

    /// An empty outbox.
    pub fn new(options: Options, now: Now) -> Outbox {
        let mut outbox = Outbox { options, last: now.steady, ..Outbox::NONE };
        for (destination, slot) in (0..).zip(&mut outbox.slots) {
            slot.used = options.destinations >> destination & 1 != 0;
            slot.wanted = !options.finds_destinations;
        }
        outbox
    }

    /// How many decisions are pending.
    pub fn pending(&self) -> usize {
        self.items.iter().filter(|item| !item.told).count()
    }

    /// The item with this number, if it is still here.
    pub fn item(&self, id: u32) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The idempotency key of what goes to a destination: the same whenever this decision is told
    /// again, different for every visitor, whom `who` stands for.
    pub fn message_id(&self, id: u32, destination: Destination, who: Hash) -> Option<Hash> {
        let item = self.item(id)?;
        let parcel = item.parcel(destination)?;
        let (decision, occurrence) = (&item.decision, parcel.occurrence.into());
        let hash = Hash::new().hash(who).hash(decision.key).hash(decision.outcome);
        let hash = hash.number(occurrence).hash(item.period);
        Some(if self.options.dedupes { hash } else { hash.number(id) })
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.run_clock(now);
        match input {
            Input::Decided(id, decision, memory) => self.decided(id, decision, &memory, now),
            Input::Carried(item) => self.carried(item, now),
            Input::Facts(facts) => self.learn(facts),
            Input::Redirects(id, yes) => self.redirects(id, yes),
            Input::Found(destination, state) => self.found(destination, state),
            Input::Recalled(id, destination, memory) => self.recalled(id, destination, &memory),
            Input::Called(id, destination, call) => self.called(id, destination, call, now),
            Input::Confirmed(id, destination) => {
                if let Some(at) = self.position(id) {
                    self.confirm(at, destination);
                }
            }
            Input::Flush => {
                for parcel in self.items.iter_mut().flat_map(|item| &mut item.parcels) {
                    parcel.failures = 0;
                }
            }
            Input::Tick => self.look_again(now),
            Input::Leaving => {
                self.leaving = true;
                self.release = true;
                self.look_again(now);
            }
            Input::Returned => {
                self.leaving = false;
                self.look_again(now);
            }
        }
        self.sweep();
    }

    /// The next thing to do, if there is any.
    pub fn poll(&mut self, now: Now) -> Option<Effect> {
        if let Some(effect) = self.effects.next() {
            return Some(effect);
        }
        for (destination, slot) in (0..).zip(&mut self.slots) {
            if std::mem::take(&mut slot.look) {
                return Some(Effect::Look(destination));
            }
        }
        if let Some(effect) = self.next_sending(now) {
            return Some(effect);
        }
        self.give_up(now);
        self.sweep();
        if self.effects.is_empty() && std::mem::take(&mut self.release) {
            return Some(Effect::Release);
        }
        self.effects.next()
    }

    /// In how many ms the outbox wants a [`Input::Tick`]; none when it wants none.
    pub fn wake_in(&self) -> Option<f64> {
        if self.leaving {
            return None;
        }
        let fresh = |item: &Item| item.is_fresh(self.round) && item.hold.is_none() && !item.told;
        let more = self.spent >= SLICE_MS && self.items.iter().any(|item| waits(&self.slots, item));
        if more || self.items.iter().any(fresh) {
            return Some(0.0);
        }
        // Nothing is asked of time for those that may come late: their script's load wakes us.
        let looks = |item: &Item| {
            !item.parked
                && !item.told
                && item.hold != Some(Hold::Consent)
                && wanted(&self.slots, item).any(|it| it.needs_looking() && it.failures < FAILURES)
        };
        self.items.iter().any(looks).then_some(self.options.poll_interval_ms)
    }

    /// Time counts while the page runs: a gap longer than two looks was sleep.
    fn run_clock(&mut self, now: Now) {
        let passed = (now.steady - self.last).max(0.0);
        self.running += passed.min(2.0 * self.options.poll_interval_ms);
        self.last = now.steady;
        if now.steady - self.called_at > 2.0 * SLICE_MS {
            self.spent = 0.0;
        }
    }

    fn decided(&mut self, id: u32, decision: Decision, memory: &Memory, now: Now) {
        let mut item = Item::new(id, decision, self.facts.period, now.wall);
        let mut end = (Verdict::Expired, Reason::Unwanted);
        for (destination, (slot, known)) in (0..).zip(self.slots.iter().zip(memory)) {
            if !slot.used {
                continue;
            }
            let last = self.last_mark(&self.items, &item, destination, *known);
            let (same, occurrence) = last.map_or((false, 1), |mark| {
                (mark.same, mark.occurrence.saturating_add(u16::from(!mark.same)))
            });
            let mut parcel = Parcel::new(occurrence);
            parcel.recalled_in = self.round;
            parcel.known = known.is_some();
            match judge(&decision, self.facts.consent, &self.options.rules, same) {
                Judgment::Drop(verdict, reason) => {
                    parcel.end = Some(verdict);
                    end = (verdict, reason);
                }
                Judgment::Deliver => {}
                Judgment::Hold(hold) => item.hold = Some(hold),
            }
            if let Some(place) = item.parcels.get_mut(destination as usize) {
                *place = parcel;
            }
        }
        let mut open = item.parcels.iter().any(Parcel::is_open);
        if open && self.is_full() {
            end = (Verdict::Expired, Reason::Full);
            open = false;
        }
        if !open {
            self.effects.push(Effect::Ended(id, end.0, end.1, 0));
            return;
        }
        if let Some(hold) = item.hold {
            self.effects.push(Effect::Trace(id, Step::Held(hold)));
        }
        self.take_in(item);
    }

    fn take_in(&mut self, mut item: Item) {
        item.arrived = self.running;
        item.arrived_in = self.round;
        item.came_at = self.last;
        for parcel in &mut item.parcels {
            parcel.blind = self.facts.consent == Consent::Unknown;
        }
        // What an earlier page left is older than all that came on this one.
        let later = |other: &Item| item.carried && other.received_at > item.received_at;
        let at = self.items.iter().position(later).unwrap_or(self.items.len());
        self.items.insert(at, item);
        self.store(at);
        self.look_for_waiting();
    }

    /// Before consent nothing was read that names the session; now it may be.
    fn rename(&mut self, at: usize) {
        if let Some(item) = self.items.get_mut(at).filter(|item| !item.carried) {
            item.period = self.facts.period;
        }
    }

    /// What was last handed over for the key of this item in the running period, or waits among these
    /// items.
    fn last_mark(
        &self,
        items: &[Item],
        item: &Item,
        destination: Destination,
        known: Option<Mark>,
    ) -> Option<Mark> {
        let counts = |it: &&Item| it.decision.key == item.decision.key && self.is_running(it);
        let waiting = items.iter().rev().filter(counts).find_map(|it| {
            let occurrence = it.parcel(destination)?.occurrence;
            Some(Mark { occurrence, same: it.decision.outcome == item.decision.outcome })
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
        item.period == self.facts.period && self.options.dedupes
    }

    fn carried(&mut self, mut item: Item, now: Now) {
        item.carried = true;
        for (slot, parcel) in self.slots.iter().zip(&mut item.parcels) {
            parcel.present &= slot.used;
        }
        let overdue = self.is_overdue(&item, now) || self.options.carry_over_ms == 0.0;
        if overdue || self.is_full() || !item.parcels.iter().any(|parcel| parcel.present) {
            for parcel in &mut item.parcels {
                parcel.end = Some(Verdict::Expired);
            }
            self.forget(&item);
            let reason = if overdue { Reason::Overdue } else { Reason::Full };
            self.effects.push(Effect::Ended(item.id, Verdict::Expired, reason, 0));
            return;
        }
        self.effects.push(Effect::Trace(item.id, Step::Resumed));
        self.take_in(item);
    }

    fn redirects(&mut self, id: u32, yes: bool) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == id)
            && item.decision.is(Decision::LEAVING) != yes
        {
            item.decision.flags ^= Decision::LEAVING;
            self.redirects = true;
        }
    }

    fn learn(&mut self, facts: Facts) {
        if !std::mem::take(&mut self.redirects) && facts == self.facts {
            return;
        }
        self.facts = facts;
        if facts.consent == Consent::Denied {
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
            item.hold = hold(&item.decision, facts.consent);
            // Waiting for consent is not waiting for a destination.
            if before != item.hold {
                item.arrived = self.running;
                for (destination, parcel) in (0..).zip(&item.parcels) {
                    if parcel.present && parcel.blind {
                        self.effects.push(Effect::Recall(item.id, destination));
                    }
                }
                self.rename(at);
            }
            self.store(at);
        }
        self.look_for_waiting();
    }

    fn found(&mut self, destination: Destination, state: State) {
        let Some(slot) = self.slots.get_mut(destination as usize).filter(|slot| slot.used) else { return };
        slot.state = state;
        slot.wanted |= state != State::Missing;
        for at in 0..self.items.len() {
            let Some(item) = self.items.get_mut(at) else { break };
            let lacking = wants(&self.slots, item, destination);
            let id = item.id;
            let Some(parcel) = item.parcels.get_mut(destination as usize).filter(|it| it.is_open()) else {
                continue;
            };
            let changed = parcel.seen.replace(state) != Some(state);
            match (parcel.handed, state) {
                (Handed::Stub, State::ReadyAndConfirms) => {
                    parcel.handed = Handed::Tool;
                    parcel.taken_at = Some(self.running);
                    self.effects.push(Effect::Trace(id, Step::Tool(destination)));
                }
                (Handed::Stub, State::Ready) => self.confirm(at, destination),
                (Handed::No, State::Missing | State::Failed) if changed && lacking => {
                    self.effects.push(Effect::Trace(id, Step::Waiting(destination, state)));
                }
                (Handed::Tool, _) if parcel.taken_at.is_some_and(|it| self.running - it >= GRACE_MS) => {
                    self.confirm(at, destination);
                }
                _ => {}
            }
        }
    }

    fn next_sending(&mut self, now: Now) -> Option<Effect> {
        if self.spent >= SLICE_MS && !self.leaving {
            return None;
        }
        let round = self.round;
        for item in self.items.iter_mut().filter(|item| item.hold.is_none() && !item.is_fresh(round)) {
            for (destination, (slot, parcel)) in (0..).zip(self.slots.iter().zip(&mut item.parcels)) {
                let takes = !slot.blocked && (slot.state == State::Stub || slot.state.is_ready());
                if !takes || !parcel.is_waiting() || parcel.failures >= FAILURES {
                    continue;
                }
                // Other tabs deliver too: what was not compared in this round is compared now. What
                // an earlier page handed over is offered again in any case, under the same
                // idempotency key: it may never have arrived.
                let compare =
                    !parcel.offered && item.period == self.facts.period && self.options.dedupes;
                if compare && parcel.recalled_in != round {
                    parcel.recalled_in = round;
                    return Some(Effect::Recall(item.id, destination));
                }
                self.called_at = now.steady;
                return Some(Effect::Send(item.id, destination));
            }
        }
        None
    }

    fn recalled(&mut self, id: u32, destination: Destination, memory: &Memory) {
        let Some(at) = self.position(id) else { return };
        let known = memory.get(destination as usize).copied().flatten();
        let Some(parcel) = self.parcel(at, destination) else { return };
        if std::mem::take(&mut parcel.blind) {
            self.renumber(at, destination, known);
            return;
        }
        // The very same: a change that overtook this one says nothing of it.
        if known.is_some_and(|mark| mark.same && mark.occurrence == parcel.occurrence) {
            parcel.end = Some(Verdict::Duplicate);
            parcel.known = true;
            self.finish(at, Reason::OtherTab, 0);
        }
    }

    /// What came when nothing could be read back is compared now: it may be a duplicate of, or a
    /// change from, what was handed over before.
    fn renumber(&mut self, at: usize, destination: Destination, known: Option<Mark>) {
        let Some((item, before)) = self.items.get(..=at).and_then(<[Item]>::split_last) else { return };
        let (id, stored) = (item.id, item.stored);
        let last = self.last_mark(before, item, destination, known);
        let same = last.is_some_and(|mark| mark.same);
        let round = self.round;
        if let Some(parcel) = self.parcel(at, destination) {
            parcel.occurrence = last.map_or(1, |mark| mark.occurrence.saturating_add(1));
            parcel.recalled_in = round;
            parcel.end = same.then_some(Verdict::Duplicate);
            parcel.known = known.is_some();
        }
        self.rename(at);
        if stored && !same {
            self.effects.push(Effect::Store(id));
        }
        self.finish(at, Reason::Before, 0);
    }

    fn called(&mut self, id: u32, destination: Destination, call: Call, now: Now) {
        self.spent += (now.steady - self.called_at).max(0.0);
        self.called_at = now.steady;
        let Some(slot) = self.slots.get_mut(destination as usize) else { return };
        let real = slot.state != State::Stub;
        if call == Call::Threw {
            slot.blocked = true;
        }
        let Some(at) = self.position(id) else { return };
        let Some(parcel) = self.parcel(at, destination) else { return };
        if call == Call::Threw {
            parcel.failures = parcel.failures.saturating_add(1);
            self.effects.push(Effect::Trace(id, Step::Threw(destination)));
            return;
        }
        parcel.handed = if real { Handed::Tool } else { Handed::Stub };
        parcel.offered = true;
        let step = if real { Step::Tool(destination) } else { Step::Stub(destination) };
        self.effects.push(Effect::Trace(id, step));
        // Nobody confirms thousands at once: past the limit, a return has to do.
        let confirmed = real && (call == Call::Returned || self.items.len() > LIMIT);
        // Before it is remembered: else what was offered would look like another tab's.
        if !confirmed {
            self.store_again(at);
        }
        self.remember(at, destination);
        if confirmed {
            self.confirm(at, destination);
        }
    }

    fn confirm(&mut self, at: usize, destination: Destination) {
        let Some(parcel) = self.parcel(at, destination).filter(|parcel| parcel.is_open()) else { return };
        parcel.end = Some(Verdict::Delivered);
        // A tool may take charge before its `track` has returned.
        if parcel.handed == Handed::No {
            self.remember(at, destination);
        }
        if let Some(item) = self.items.get(at) {
            self.effects.push(Effect::Trace(item.id, Step::Confirmed(destination)));
        }
        self.finish(at, Reason::TookCharge, destination);
        // It may wait for others: the next page offers it to them alone.
        self.store_again(at);
    }

    /// From here on the same decision is a duplicate.
    fn remember(&mut self, at: usize, destination: Destination) {
        if let Some(item) = self.items.get(at).filter(|item| self.is_running(item))
            && let Some(parcel) = item.parcel(destination)
        {
            self.effects.push(Effect::Remember(item.id, destination, parcel.occurrence));
        }
    }

    /// It never arrived as far as we know: the same decision may be told again.
    fn forget(&mut self, item: &Item) {
        if !self.is_running(item) {
            return;
        }
        for (destination, parcel) in (0..).zip(&item.parcels) {
            if parcel.present && parcel.end == Some(Verdict::Expired) {
                self.effects.push(Effect::Forget(item.id, destination, parcel.occurrence));
            }
        }
    }

    /// Ends the item when its last parcel has ended. Delivered anywhere is delivered. Destinations
    /// that nobody has seen yet are not waited for, but may still come.
    fn finish(&mut self, at: usize, reason: Reason, destination: Destination) {
        // Who is on the page is known once everybody was looked for.
        let looking = self.slots.iter().any(|slot| slot.look);
        let Some(item) = self.items.get_mut(at) else { return };
        let mut open = item.parcels.iter().any(Parcel::is_open);
        let awaited = open && (looking || wanted(&self.slots, item).any(Parcel::is_open));
        if !awaited && !item.told {
            item.told = true;
            if std::mem::take(&mut item.stored) {
                self.effects.push(Effect::Erase(item.id));
            }
            let item = *item;
            self.forget(&item);
            let ended = |verdict: &Verdict| item.parcels.iter().any(|it| it.end == Some(*verdict));
            let verdict = [Verdict::Delivered, Verdict::Expired].into_iter().find(ended);
            let verdict = verdict.unwrap_or(Verdict::Duplicate);
            self.effects.push(Effect::Ended(item.id, verdict, reason, destination));
            open &= self.items.iter().filter(|item| item.told && !item.gone).count() <= LATECOMERS;
        }
        if let Some(item) = self.items.get_mut(at) {
            item.gone = !open;
        }
    }

    /// Lets go of the items with which nothing more can happen.
    fn sweep(&mut self) {
        if self.items.iter().any(|item| item.gone) {
            self.items.retain(|item| !item.gone);
        }
    }

    /// Called when everybody who could take something has it, or the rest has to pause.
    fn give_up(&mut self, now: Now) {
        let paused = self.spent >= SLICE_MS && !self.leaving;
        let carries_over = self.options.carry_over_ms > 0.0;
        for at in 0..self.items.len() {
            let Some(item) = self.items.get(at) else { break };
            if item.hold == Some(Hold::Consent) || item.is_fresh(self.round) || item.told {
                continue;
            }
            let (overdue, waits) = (self.is_overdue(item, now), waits(&self.slots, item));
            let (mut done, mut taken) = (true, true);
            for parcel in wanted(&self.slots, item).filter(|it| it.is_open()) {
                done = false;
                taken &= parcel.handed == Handed::Tool;
            }
            let mut reason = None;
            if done {
                // Those it has to go to have it from an earlier page.
                self.finish(at, Reason::Before, 0);
            } else if waits && overdue && !paused {
                reason = Some(Reason::Overdue);
            } else if !(item.parked || taken || paused)
                && self.running - item.arrived >= self.options.max_wait_ms
            {
                self.effects.push(Effect::Trace(item.id, Step::Parked));
                if let Some(item) = self.items.get_mut(at) {
                    item.parked = true;
                }
                reason = (waits && !carries_over).then_some(Reason::WaitedOut);
            }
            if let Some(reason) = reason {
                for parcel in self.items.get_mut(at).into_iter().flat_map(|item| &mut item.parcels) {
                    if parcel.is_open() {
                        parcel.end = Some(Verdict::Expired);
                    }
                }
                self.finish(at, reason, 0);
            }
        }
    }

    fn is_overdue(&self, item: &Item, now: Now) -> bool {
        let limit = self.options.carry_over_ms;
        // A clock that is set forward lets nothing expire that came on this very page.
        limit > 0.0
            && now.wall - item.received_at > limit
            && (item.carried || now.steady - item.came_at > limit)
    }

    fn is_full(&self) -> bool {
        let waiting = || self.items.iter().filter(|item| waits(&self.slots, item)).count();
        self.items.len() >= LIMIT && (waiting() >= LIMIT || self.items.len() >= 2 * LIMIT)
    }

    /// Has an item written down as soon as it may be.
    fn store(&mut self, at: usize) {
        if self.facts.consent == Consent::Granted
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

    fn look_again(&mut self, now: Now) {
        // Nobody waits longer for those that come late than for the others.
        let over = now.wall - self.options.max_wait_ms;
        for item in &mut self.items {
            item.gone |= item.told && item.received_at <= over;
        }
        self.sweep();
        self.round = self.round.wrapping_add(1);
        self.spent = 0.0;
        for slot in &mut self.slots {
            slot.blocked = false;
        }
        self.look_for_waiting();
    }

    fn look_for_waiting(&mut self) {
        for (destination, slot) in (0..).zip(&mut self.slots) {
            slot.look |= self.items.iter().any(|item| {
                item.hold != Some(Hold::Consent)
                    && item.parcel(destination).is_some_and(Parcel::needs_looking)
            });
        }
    }

    #[inline(never)]
    fn position(&self, id: u32) -> Option<usize> {
        self.items.iter().position(|item| item.id == id)
    }

    fn parcel(&mut self, at: usize, destination: Destination) -> Option<&mut Parcel> {
        self.items.get_mut(at)?.parcels.get_mut(destination as usize).filter(|parcel| parcel.present)
    }
}

/// The parcels of an item for the destinations that it has to go to. With `destinations: "auto"`, only
/// those that were seen, on this page or by an earlier one; where none of its destinations was, all.
fn wanted<'a>(slots: &'a Slots, item: &'a Item) -> impl Iterator<Item = &'a Parcel> {
    let all = || slots.iter().zip(&item.parcels).filter(|(_, parcel)| parcel.present);
    let seen = |(slot, parcel): &(&Slot, &Parcel)| parcel.known || slot.wanted;
    let none = !all().any(|it| seen(&it));
    all().filter(move |it| none || seen(it)).map(|(_, parcel)| parcel)
}

/// Whether an item has to go to this destination.
fn wants(slots: &Slots, item: &Item, destination: Destination) -> bool {
    item.parcel(destination).is_some_and(|it| wanted(slots, item).any(|other| std::ptr::eq(it, other)))
}

/// Whether an item waits for a destination that it has to go to.
fn waits(slots: &Slots, item: &Item) -> bool {
    !item.told && wanted(slots, item).any(Parcel::is_waiting)
}
