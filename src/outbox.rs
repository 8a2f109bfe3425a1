//! The outbox: one state machine that holds each decision until its destinations have it.
//!
//! It has no clock and no browser. Time and events go in through [`Outbox::handle`], effects come
//! out of [`Outbox::poll`], one by one, so that whoever does them may come back with new events in
//! between. A decision is remembered as handed over when it was, not before.

use std::rc::Rc;

use crate::decision::{Decision, Verdict};
use crate::destination::{Destination, State};
use crate::gate::{Consent, Facts, Hold, Judgment, hold, judge};
use crate::json::decimal;
use crate::options::{Dedupe, Options};
use crate::parcel::{Handed, Item, Parcel};
use crate::store::{Mark, Memory};

mod effect;

pub use effect::{Call, Effect, Input, Now, Sending, Step};

/// How many decisions wait at most. The oldest stay.
pub const LIMIT: usize = 1000;

/// Why a decision is dropped for which there is no room.
pub const FULL: &str = "the outbox is full";

/// How long handing over may keep the page busy in one go, in ms; half of a long task.
pub const SLICE_MS: f64 = 25.0;

/// How often a destination may throw at one decision on one page.
const FAILURES: u8 = 3;

/// How long we wait for a real tool to confirm what it took over from its stub, in ms of running
/// time. Then taking over counts as confirmation.
const GRACE_MS: f64 = 10_000.0;

/// How many decisions that are told already are kept for destinations that come late.
const LATECOMERS: usize = 100;

struct Slot {
    destination: Destination,
    state: State,
    look: bool,
    blocked: bool,
    /// Whether every decision has to go there: with `destinations: "auto"`, only once it was seen.
    wanted: bool,
}

/// The outbox. See the module.
pub struct Outbox {
    options: Rc<Options>,
    facts: Facts,
    slots: Vec<Slot>,
    items: Vec<Item>,
    effects: Vec<Effect>,
    /// The effects whose turn it is, the next one last: taking them from the front of a long list
    /// would move all others each time.
    ready: Vec<Effect>,
    round: u32,
    running: f64,
    last: f64,
    spent: f64,
    called_at: f64,
    leaving: bool,
    release: bool,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(options: Rc<Options>, now: Now) -> Outbox {
        let wanted = !options.finds_destinations();
        let slot =
            |destination| Slot { destination, state: State::Missing, look: false, blocked: false, wanted };
        Outbox {
            slots: options.destinations().map(slot).collect(),
            options,
            facts: Facts::default(),
            items: Vec::new(),
            effects: Vec::new(),
            ready: Vec::new(),
            round: 1,
            running: 0.0,
            last: now.steady,
            spent: 0.0,
            called_at: 0.0,
            leaving: false,
            release: false,
        }
    }

    /// How many decisions are pending.
    pub fn pending(&self) -> usize {
        self.items.iter().filter(|item| !item.told).count()
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.run_clock(now);
        match input {
            Input::Decided(id, decision, memory) => self.decided(id, decision, &memory, now),
            Input::Carried(item) => self.carried(item, now),
            Input::Facts(facts) => self.learn(facts),
            Input::Found(destination, state) => self.found(destination, state),
            Input::Recalled(id, destination, memory) => self.recalled(id, destination, &memory),
            Input::Called(id, destination, call) => self.called(id, destination, call, now),
            Input::Confirmed(id, destination) => self.confirm(id, destination),
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
    }

    /// The next thing to do, if there is any.
    pub fn poll(&mut self, now: Now) -> Option<Effect> {
        if let Some(effect) = self.next_effect() {
            return Some(effect);
        }
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.look) {
            slot.look = false;
            return Some(Effect::Look(slot.destination));
        }
        if let Some(effect) = self.next_sending(now) {
            return Some(effect);
        }
        self.give_up(now);
        if self.release && self.effects.is_empty() && self.ready.is_empty() {
            self.release = false;
            return Some(Effect::Release);
        }
        self.next_effect()
    }

    fn next_effect(&mut self) -> Option<Effect> {
        if self.ready.is_empty() {
            self.ready = std::mem::take(&mut self.effects);
            self.ready.reverse();
        }
        self.ready.pop()
    }

    /// In how many ms the outbox wants a [`Input::Tick`]; none when it wants none.
    pub fn wake_in(&self) -> Option<f64> {
        if self.leaving {
            return None;
        }
        let fresh = |item: &Item| item.is_fresh(self.round) && item.hold.is_none() && !item.told;
        let more = self.spent >= SLICE_MS && self.items.iter().any(|item| self.waits(item));
        if more || self.items.iter().any(fresh) {
            return Some(0.0);
        }
        // Nothing is asked of time for those that may come late: their script's load wakes us.
        let looks = |item: &Item| {
            !item.parked
                && !item.told
                && item.hold != Some(Hold::Consent)
                && item.parcels.iter().any(|it| {
                    let due = it.needs_looking() && it.failures < FAILURES;
                    due && wants(&self.slots, item, it.destination)
                })
        };
        self.items.iter().any(looks).then_some(self.options.poll_interval_ms())
    }

    /// Time counts while the page runs: a gap longer than two looks was sleep.
    fn run_clock(&mut self, now: Now) {
        let passed = (now.steady - self.last).max(0.0);
        self.running += passed.min(2.0 * self.options.poll_interval_ms());
        self.last = now.steady;
        if now.steady - self.called_at > 2.0 * SLICE_MS {
            self.spent = 0.0;
        }
    }

    fn decided(&mut self, id: u32, decision: Decision, memory: &Memory, now: Now) {
        let period = self.facts.period.clone();
        let mut item = Item { period, ..Item::new(id, decision, now.wall) };
        let mut end = (Verdict::Expired, "no destination is wanted".to_owned());
        for at in 0..self.slots.len() {
            let Some(destination) = self.slots.get(at).map(|slot| slot.destination) else { continue };
            let last = self.last_mark(&self.items, &item.key, destination, memory);
            let (known, occurrence) = last.map_or((false, 1), |mark| {
                let known = mark.outcome == item.outcome;
                (known, mark.occurrence.saturating_add(u32::from(!known)))
            });
            let mut parcel = Parcel::new(destination, occurrence, self.message_id(&item, occurrence));
            parcel.recalled_in = self.round;
            parcel.remember(memory);
            match judge(&item.decision, &self.facts, &self.options, known) {
                Judgment::Drop(verdict, why) => {
                    if verdict == Verdict::Duplicate {
                        self.enrich_waiting(&item);
                    }
                    parcel.end = Some(verdict);
                    end = (verdict, why);
                }
                Judgment::Deliver(marks) => item.marks = marks,
                Judgment::Hold(hold, marks) => {
                    item.hold = Some(hold);
                    item.marks = marks;
                }
            }
            item.parcels.push(parcel);
        }
        if item.parcels.iter().any(Parcel::is_open) && self.is_full() {
            end = (Verdict::Expired, FULL.to_owned());
            item.parcels.clear();
        }
        if !item.parcels.iter().any(Parcel::is_open) {
            self.end(id, end.0, &end.1);
            return;
        }
        if let Some(hold) = item.hold {
            self.trace(id, Step::Held(hold));
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
        self.store(&mut item);
        // What an earlier page left is older than all that came on this one.
        let later = |other: &Item| item.carried && other.received_at > item.received_at;
        let at = self.items.iter().position(later).unwrap_or(self.items.len());
        self.items.insert(at, item);
        self.look_for_waiting();
    }

    #[inline(never)]
    fn trace(&mut self, id: u32, step: Step) {
        self.effects.push(Effect::Trace(id, step));
    }

    #[inline(never)]
    fn end(&mut self, id: u32, verdict: Verdict, why: &str) {
        self.effects.push(Effect::Ended(id, verdict, why.to_owned()));
    }

    fn message_id(&self, item: &Item, occurrence: u32) -> String {
        let facts = &self.facts;
        let once = [&facts.period, "/", &decimal(f64::from(item.id))].concat();
        let period = if self.options.dedupe() == Dedupe::None { &once } else { &facts.period };
        item.decision.message_id(&facts.project, &facts.visitor, occurrence, period)
    }

    /// Before consent nothing was read that names the visitor or the session; now it may be.
    fn rename(&self, item: &mut Item) {
        let names: Vec<String> =
            item.parcels.iter().map(|parcel| self.message_id(item, parcel.occurrence)).collect();
        if !item.carried {
            self.facts.period.clone_into(&mut item.period);
        }
        for (parcel, name) in item.parcels.iter_mut().zip(names) {
            if parcel.is_waiting() && !item.carried {
                parcel.message_id = name;
            }
        }
    }

    /// What was last handed over for this key in the running period, or waits among these items.
    fn last_mark(
        &self,
        items: &[Item],
        key: &str,
        destination: Destination,
        memory: &Memory,
    ) -> Option<Mark> {
        let counts = |item: &&Item| item.key == key && self.is_running(item);
        let waiting = items.iter().rev().filter(counts).find_map(|item| {
            let parcel = item.parcels.iter().find(|parcel| parcel.destination == destination)?;
            Some(parcel.mark(item))
        });
        later(waiting, memory.mark(destination))
    }

    /// Whether it was made in the dedupe period that is running: an earlier page, tab or session may
    /// have left it.
    fn is_running(&self, item: &Item) -> bool {
        item.period == self.facts.period && self.options.dedupe() != Dedupe::None
    }

    /// A duplicate may know more than the one that waits: names, the referrer of a redirect.
    fn enrich_waiting(&mut self, duplicate: &Item) {
        let waiting = self.items.iter_mut().rev().find(|item| item.key == duplicate.key);
        if let Some(item) = waiting
            && item.is_waiting()
            && item.decision.enrich(&duplicate.decision)
            && item.stored
        {
            self.effects.push(Effect::Store(item.id, item.record()));
        }
    }

    fn carried(&mut self, mut item: Item, now: Now) {
        let known = |parcel: &Parcel| self.slots.iter().any(|slot| slot.destination == parcel.destination);
        item.parcels.retain(known);
        let overdue = self.is_overdue(&item, now) || self.options.carry_over_ms() == 0.0;
        if item.parcels.is_empty() || overdue || self.is_full() {
            let why = if overdue { "it waited longer than carryOverMs" } else { FULL };
            self.end(item.id, Verdict::Expired, why);
            item.parcels.iter_mut().for_each(|parcel| parcel.end = Some(Verdict::Expired));
            self.forget(&item);
            return;
        }
        self.trace(item.id, Step::Resumed);
        let referrer = item.decision.source.referrer(&self.facts.redirect, item.decision.experiment());
        item.decision.land(referrer);
        self.take_in(item);
    }

    fn learn(&mut self, facts: Facts) {
        if facts == self.facts {
            return;
        }
        self.facts = facts;
        if self.facts.consent == Consent::Denied {
            for item in std::mem::take(&mut self.items).iter().filter(|item| !item.told) {
                self.end(item.id, Verdict::NoConsent, "consent was refused");
            }
            self.effects.push(Effect::Purge);
            return;
        }
        let mut items = std::mem::take(&mut self.items);
        for item in &mut items {
            let before = item.hold;
            item.hold = hold(&item.decision, &self.facts);
            // Waiting for consent is not waiting for a destination.
            if before != item.hold {
                item.arrived = self.running;
                self.rename(item);
                for parcel in item.parcels.iter().filter(|parcel| parcel.blind) {
                    self.effects.push(Effect::Recall(item.id, parcel.destination, item.key.clone()));
                }
            }
            if !item.stored && !item.told {
                self.store(item);
            }
        }
        self.items = items;
        self.look_for_waiting();
    }

    fn found(&mut self, destination: Destination, state: State) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.destination == destination) else {
            return;
        };
        slot.state = state;
        slot.wanted |= state != State::Missing;
        let (mut confirmed, mut steps) = (Vec::new(), Vec::new());
        for item in &mut self.items {
            let lacking = wants(&self.slots, item, destination);
            for parcel in &mut item.parcels {
                if parcel.destination != destination || !parcel.is_open() {
                    continue;
                }
                let changed = parcel.seen.replace(state) != Some(state);
                match (parcel.handed, state) {
                    (Handed::Stub, State::Ready { confirms: true }) => {
                        parcel.handed = Handed::Tool;
                        parcel.taken_at = Some(self.running);
                        steps.push((item.id, Step::Tool(destination)));
                    }
                    (Handed::Stub, State::Ready { confirms: false }) => confirmed.push(item.id),
                    (Handed::No, State::Missing | State::Failed) if changed && lacking => {
                        steps.push((item.id, Step::Waiting(destination, state)));
                    }
                    (Handed::Tool, _)
                        if parcel.taken_at.is_some_and(|taken| self.running - taken >= GRACE_MS) =>
                    {
                        confirmed.push(item.id);
                    }
                    _ => {}
                }
            }
        }
        for (id, step) in steps {
            self.trace(id, step);
        }
        for id in confirmed {
            self.confirm(id, destination);
        }
    }

    fn next_sending(&mut self, now: Now) -> Option<Effect> {
        if self.spent >= SLICE_MS && !self.leaving {
            return None;
        }
        let (slots, round, period, dedupe) =
            (&self.slots, self.round, &self.facts.period, self.options.dedupe());
        let takes = |destination: Destination| {
            let slot = slots.iter().find(|slot| slot.destination == destination);
            slot.is_some_and(|slot| !slot.blocked && matches!(slot.state, State::Stub | State::Ready { .. }))
        };
        for item in self.items.iter_mut().filter(|item| item.hold.is_none() && !item.is_fresh(round)) {
            for parcel in &mut item.parcels {
                let due = parcel.is_waiting() && parcel.failures < FAILURES;
                if !due || !takes(parcel.destination) {
                    continue;
                }
                // Other tabs deliver too: what was not compared in this round is compared now. What
                // an earlier page handed over is offered again in any case, under the same
                // idempotency key: it may never have arrived.
                let compare = !parcel.offered && item.period == *period && dedupe != Dedupe::None;
                if compare && parcel.recalled_in != round {
                    parcel.recalled_in = round;
                    return Some(Effect::Recall(item.id, parcel.destination, item.key.clone()));
                }
                self.called_at = now.steady;
                return Some(Effect::Send(Box::new(Sending {
                    id: item.id,
                    destination: parcel.destination,
                    decision: item.decision.clone(),
                    message_id: parcel.message_id.clone(),
                    marks: item.marks,
                })));
            }
        }
        None
    }

    fn recalled(&mut self, id: u32, destination: Destination, memory: &Memory) {
        let Some(at) = self.items.iter().position(|item| item.id == id) else { return };
        let blind = self.parcel(id, destination).map(|parcel| std::mem::take(&mut parcel.blind));
        if blind == Some(true) {
            self.renumber(at, destination, memory);
            return;
        }
        let Some(item) = self.items.get_mut(at) else { return };
        let outcome = &item.outcome;
        let mut parcels = item.parcels.iter_mut();
        // The very same: a change that overtook this one says nothing of it.
        let same =
            |mark: &Mark, parcel: &Parcel| mark.occurrence == parcel.occurrence && mark.outcome == *outcome;
        let known = memory.mark(destination);
        if let Some(parcel) =
            parcels.find(|it| it.destination == destination && known.is_some_and(|mark| same(mark, it)))
        {
            parcel.end = Some(Verdict::Duplicate);
            parcel.remember(memory);
            self.finish(id, "another tab handed the same decision over");
        }
    }

    /// What came when nothing could be read back is compared now: it may be a duplicate of, or a
    /// change from, what was handed over before.
    fn renumber(&mut self, at: usize, destination: Destination, memory: &Memory) {
        let mut items = std::mem::take(&mut self.items);
        let (before, rest) = items.split_at_mut(at);
        let Some(item) = rest.first_mut() else { return };
        let last = self.last_mark(before, &item.key, destination, memory);
        let same = last.as_ref().is_some_and(|mark| mark.outcome == item.outcome);
        let (id, stored) = (item.id, item.stored);
        for parcel in item.parcels.iter_mut().filter(|parcel| parcel.destination == destination) {
            parcel.occurrence = last.as_ref().map_or(1, |mark| mark.occurrence.saturating_add(1));
            parcel.recalled_in = self.round;
            parcel.end = same.then_some(Verdict::Duplicate);
            parcel.remember(memory);
        }
        self.rename(item);
        if stored && !same {
            self.effects.push(Effect::Store(id, item.record()));
        }
        self.items = items;
        self.finish(id, "the same decision was handed over before");
    }

    fn called(&mut self, id: u32, destination: Destination, call: Call, now: Now) {
        self.spent += (now.steady - self.called_at).max(0.0);
        self.called_at = now.steady;
        let slot = self.slots.iter_mut().find(|slot| slot.destination == destination);
        let Some(slot) = slot else { return };
        let real = slot.state != State::Stub;
        if matches!(call, Call::Threw(_)) {
            slot.blocked = true;
        }
        let Some(parcel) = self.parcel(id, destination) else {
            return;
        };
        if let Call::Threw(error) = call {
            parcel.failures += 1;
            self.trace(id, Step::Threw(destination, error));
            return;
        }
        parcel.handed = if real { Handed::Tool } else { Handed::Stub };
        parcel.offered = true;
        let step = if real { Step::Tool(destination) } else { Step::Stub(destination) };
        self.trace(id, step);
        // Nobody confirms thousands at once: past the limit, a return has to do.
        let confirmed = real && (call == Call::Returned || self.items.len() > LIMIT);
        // Before it is remembered: else what was offered would look like another tab's.
        if let Some(item) = self.items.iter().find(|item| item.id == id && item.stored && !confirmed) {
            self.effects.push(Effect::Store(id, item.record()));
        }
        self.remember(id, destination);
        if confirmed {
            self.confirm(id, destination);
        }
    }

    fn confirm(&mut self, id: u32, destination: Destination) {
        let Some(parcel) = self.parcel(id, destination) else {
            return;
        };
        if !parcel.is_open() {
            return;
        }
        parcel.end = Some(Verdict::Delivered);
        // A tool may take charge before its `track` has returned.
        if parcel.handed == Handed::No {
            self.remember(id, destination);
        }
        self.trace(id, Step::Confirmed(destination));
        self.finish(id, destination.name());
        // It may wait for others: the next page offers it to them alone.
        let waiting = self.items.iter().find(|item| item.id == id && item.stored);
        if let Some(record) = waiting.map(Item::record) {
            self.effects.push(Effect::Store(id, record));
        }
    }

    /// From here on the same decision is a duplicate.
    fn remember(&mut self, id: u32, destination: Destination) {
        let item = self.items.iter().find(|item| item.id == id && self.is_running(item));
        for (item, parcel) in
            item.iter().flat_map(|item| item.parcels.iter().map(move |parcel| (item, parcel)))
        {
            if parcel.destination == destination {
                self.effects.push(Effect::Remember(item.key.clone(), destination, parcel.mark(item)));
            }
        }
    }

    /// It never arrived as far as we know: the same decision may be told again.
    fn forget(&mut self, item: &Item) {
        if !self.is_running(item) {
            return;
        }
        for parcel in item.parcels.iter().filter(|it| it.end == Some(Verdict::Expired)) {
            self.effects.push(Effect::Forget(item.key.clone(), parcel.destination, parcel.mark(item)));
        }
    }

    /// Whether a decision waits for a destination that it has to go to.
    fn waits(&self, item: &Item) -> bool {
        let mut parcels = item.parcels.iter();
        !item.told && parcels.any(|it| it.is_waiting() && wants(&self.slots, item, it.destination))
    }

    /// Ends the item when its last parcel has ended. Delivered anywhere is delivered. Destinations
    /// that nobody has seen yet are not waited for, but may still come.
    fn finish(&mut self, id: u32, why: &str) {
        let Some(at) = self.items.iter().position(|item| item.id == id) else { return };
        // Who is on the page is known once everybody was looked for.
        let looking = self.slots.iter().any(|slot| slot.look);
        let mut item = self.items.remove(at);
        let (mut open, mut awaited) = (false, false);
        for parcel in item.parcels.iter().filter(|parcel| parcel.is_open()) {
            open = true;
            awaited |= looking || wants(&self.slots, &item, parcel.destination);
        }
        if !awaited && !item.told {
            if std::mem::take(&mut item.stored) {
                self.effects.push(Effect::Erase(id));
            }
            let ended = |verdict: &Verdict| item.parcels.iter().any(|it| it.end == Some(*verdict));
            let verdict = [Verdict::Delivered, Verdict::Expired].into_iter().find(ended);
            self.forget(&item);
            self.end(id, verdict.unwrap_or(Verdict::Duplicate), why);
            item.told = true;
            open &= self.items.iter().filter(|item| item.told).count() < LATECOMERS;
        }
        if open {
            self.items.insert(at, item);
        }
    }

    /// Called when everybody who could take something has it, or the rest has to pause.
    fn give_up(&mut self, now: Now) {
        let (mut ended, mut parked) = (Vec::new(), Vec::new());
        let paused = self.spent >= SLICE_MS && !self.leaving;
        for at in 0..self.items.len() {
            let Some(item) = self.items.get(at) else { continue };
            let (overdue, waits) = (self.is_overdue(item, now), self.waits(item));
            let wanted = |it: &&Parcel| it.is_open() && wants(&self.slots, item, it.destination);
            let done = !item.parcels.iter().any(|it| wanted(&it));
            let taken = item.parcels.iter().filter(wanted).all(|it| it.handed == Handed::Tool);
            let carries_over = self.options.carry_over_ms() > 0.0;
            let waited_out = self.options.max_wait_ms();
            let Some(item) = self.items.get_mut(at) else {
                continue;
            };
            if item.hold == Some(Hold::Consent) || item.is_fresh(self.round) || item.told {
                continue;
            }
            if done {
                ended.push((item.id, ""));
            } else if waits && overdue && !paused {
                ended.push((item.id, "it waited longer than carryOverMs"));
            } else if !(item.parked || taken || paused) && self.running - item.arrived >= waited_out {
                item.parked = true;
                parked.push(item.id);
                if waits && !carries_over {
                    ended.push((item.id, "it waited longer than maxWaitMs, and carryOverMs is 0"));
                }
            }
        }
        for id in parked {
            self.trace(id, Step::Parked);
        }
        for (id, why) in ended {
            // Those it has to go to have it from an earlier page.
            if why.is_empty() {
                self.finish(id, "the same decision was handed over before");
                continue;
            }
            if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
                for parcel in item.parcels.iter_mut().filter(|parcel| parcel.is_open()) {
                    parcel.end = Some(Verdict::Expired);
                }
            }
            self.finish(id, why);
        }
    }

    fn is_overdue(&self, item: &Item, now: Now) -> bool {
        let limit = self.options.carry_over_ms();
        // A clock that is set forward lets nothing expire that came on this very page.
        limit > 0.0
            && now.wall - item.received_at > limit
            && (item.carried || now.steady - item.came_at > limit)
    }

    fn is_full(&self) -> bool {
        let waiting = || self.items.iter().filter(|item| self.waits(item)).count();
        self.items.len() >= LIMIT && (waiting() >= LIMIT || self.items.len() >= 2 * LIMIT)
    }

    fn store(&mut self, item: &mut Item) {
        if self.facts.consent == Consent::Granted && self.options.carry_over_ms() > 0.0 {
            item.stored = true;
            self.effects.push(Effect::Store(item.id, item.record()));
        }
    }

    fn look_again(&mut self, now: Now) {
        // Nobody waits longer for those that come late than for the others.
        let over = now.wall - self.options.max_wait_ms();
        self.items.retain(|item| !item.told || item.received_at > over);
        self.round = self.round.wrapping_add(1);
        self.spent = 0.0;
        for slot in &mut self.slots {
            slot.blocked = false;
        }
        self.look_for_waiting();
    }

    fn look_for_waiting(&mut self) {
        for slot in &mut self.slots {
            slot.look |= self.items.iter().any(|item| {
                let here = |parcel: &&Parcel| parcel.destination == slot.destination;
                item.hold != Some(Hold::Consent)
                    && item.parcels.iter().filter(here).any(Parcel::needs_looking)
            });
        }
    }

    fn parcel(&mut self, id: u32, destination: Destination) -> Option<&mut Parcel> {
        let item = self.items.iter_mut().find(|item| item.id == id)?;
        item.parcels.iter_mut().find(|parcel| parcel.destination == destination)
    }
}

/// Whether an item has to go to this destination. With `destinations: "auto"`, only to those that
/// were seen, on this page or by an earlier one; where none of its destinations was, to all.
fn wants(slots: &[Slot], item: &Item, destination: Destination) -> bool {
    let seen =
        |it: &&Parcel| it.known || slots.iter().any(|slot| slot.destination == it.destination && slot.wanted);
    let mut all = item.parcels.iter().filter(seen).peekable();
    all.peek().is_none() || all.any(|parcel| parcel.destination == destination)
}

/// The later of what waits and what is remembered.
fn later(waiting: Option<Mark>, known: Option<&Mark>) -> Option<Mark> {
    match (waiting, known) {
        (Some(waiting), Some(known)) if known.occurrence > waiting.occurrence => Some(known.clone()),
        (waiting, known) => waiting.or_else(|| known.cloned()),
    }
}
