//! The outbox: one state machine that holds each decision until its destinations have it.
//!
//! It has no clock and no browser. It is told what happens, and effects come out of [`Outbox::poll`],
//! one by one, so that whoever does them may come back with new events in between. A decision is
//! remembered as handed over when it was, not before.

use crate::gate::{Consent, Decision, Hold, Judgment, Options, Reason, Verdict, hold, judge};
use crate::key::Hash;
use crate::parcel::{Destination, Item, Mark, Memory, NOBODY, Set, State, assign, each, only, place};

mod effect;
mod lists;
mod page;

pub use effect::{Effect, Step};
use lists::Items;
use page::Page;

/// How many decisions wait at most. The oldest stay.
pub const LIMIT: usize = 1000;

/// How long handing over may keep the page busy in one go, in ms; half of a long task.
pub const SLICE_MS: f64 = 25.0;

/// How long we wait for a real tool to confirm what it took over from its stub, in ms of running
/// time. Then taking over counts as confirmation.
const GRACE_MS: f64 = 10_000.0;

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

/// The outbox. See the module. It is nothing but zeros until it starts: what lies in the module's memory
/// from the beginning would else have to be downloaded.
#[repr(C)]
pub struct Outbox {
    page: Page,
    items: Items,
}

impl Outbox {
    /// An outbox that serves nobody.
    pub const NONE: Outbox = Outbox { items: Items::NONE, page: Page::NONE };

    /// Starts, with these options and destinations. Once more where the visitor has answered about consent:
    /// what came before is told anew, for now storage may be read, and may say otherwise.
    pub fn init(&mut self, options: Options, destinations: Set) {
        self.items.clear();
        let page = &mut self.page;
        page.effects.clear();
        page.options = options;
        page.used = destinations & (only(NOBODY) - 1);
        page.wanted = if options.is(Options::FINDS_DESTINATIONS) { 0 } else { page.used };
    }

    /// Becomes what it is in a fresh instance of the module. A page has one instance for each life; tests
    /// have one for many pages.
    pub fn renew(&mut self) {
        self.items.clear();
        self.page.renew();
    }

    /// The moment of all that happens until it is told again: ms since the epoch, and on a clock that
    /// never jumps back. Time counts while the page runs: a gap longer than two looks was sleep.
    pub fn now(&mut self, wall: f64, steady: f64) {
        let page = &mut self.page;
        let passed = steady - page.steady;
        let most = 2.0 * page.options.poll_interval_ms;
        if passed > 0.0 {
            page.running += if passed < most { passed } else { most };
        }
        page.wall = wall;
        page.steady = steady;
        if steady - page.called_at > 2.0 * SLICE_MS {
            page.spent = 0.0;
        }
    }

    /// How many decisions are pending.
    pub fn pending(&self) -> u32 {
        self.items.iter().map(|item| u32::from(!item.told)).sum()
    }

    /// The item with this number, if it is still here.
    pub fn item(&self, id: u32) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The idempotency key of what goes to a destination: the same whenever this decision is told
    /// again, different for every visitor, whom `who` stands for.
    pub fn message_id(&self, id: u32, destination: Destination, who: &Hash) -> Hash {
        let mut hash = Hash::new();
        if let Some(item) = self.item(id) {
            hash.hash(who);
            hash.hash(&item.decision.key);
            hash.hash(&item.decision.outcome);
            hash.hash(&item.period);
            hash.unit(item.occurrence(destination).into());
            if self.page.options.is(Options::REPEATS) {
                hash.number(id);
            }
        }
        hash
    }

    /// A decision came in, with what is remembered for its key.
    pub fn decided(&mut self, id: u32, decision: Decision, memory: &Memory) {
        let page = &self.page;
        let mut item = Item { id, decision, period: page.period, received_at: page.wall, ..Item::NONE };
        let mut end = (Verdict::Expired, Reason::Unwanted);
        for destination in each(page.used) {
            let it = only(destination);
            let known = memory.get(place(destination)).copied().unwrap_or(Mark::NONE);
            let last = page.last_mark(&self.items, &item, destination).or_later(known);
            let more = u16::from(!last.is_same());
            item.put(destination, last.occurrence().saturating_add(more));
            if known != Mark::NONE {
                item.known |= it;
            }
            match judge(&decision, page.consent, &page.options, last.is_same()) {
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
            self.page.effects.push(Effect::Ended(id, end.0, end.1, 0));
            return;
        }
        if let Some(hold) = item.hold {
            self.page.effects.push(Effect::Trace(id, Step::Held(hold)));
        }
        self.take_in(&mut item);
    }

    /// An earlier page left an item to us: its number, decision, period, when it was received, and
    /// its parcels.
    pub fn carried(&mut self, item: &mut Item) {
        item.carried = true;
        item.all &= self.page.used;
        item.open = item.all;
        let overdue = self.page.is_overdue(item) || self.page.options.carry_over_ms == 0.0;
        if item.all == 0 || overdue || self.is_full() {
            item.expired = item.all;
            self.page.forget(item);
            let reason = if overdue { Reason::Overdue } else { Reason::Full };
            self.page.effects.push(Effect::Ended(item.id, Verdict::Expired, reason, 0));
            return;
        }
        self.page.effects.push(Effect::Trace(item.id, Step::Resumed));
        self.take_in(item);
    }

    #[inline(never)]
    fn take_in(&mut self, item: &mut Item) {
        item.arrived = self.page.running;
        item.came_at = self.page.steady;
        item.new = true;
        self.page.store(item);
        // What an earlier page left is older than all that came on this one.
        let later = |other: &Item| item.carried && other.received_at > item.received_at;
        let at = self.items.iter().position(later).unwrap_or(self.items.len());
        self.items.insert(at, item);
        self.look_for_waiting();
    }

    /// Whether a redirect of a decision is in flight. What is told by [`Outbox::facts`] next is judged
    /// by it.
    pub fn leaving(&mut self, id: u32, yes: bool) {
        if let Some(item) = find(&mut self.items, id)
            && item.decision.is(Decision::LEAVING) != yes
        {
            item.decision.flags ^= Decision::LEAVING;
            self.page.redirects = true;
        }
    }

    /// What is known about the page now.
    pub fn facts(&mut self, consent: Consent, period: Hash) {
        let page = &mut self.page;
        if !std::mem::take(&mut page.redirects) && consent == page.consent && period == page.period {
            return;
        }
        page.consent = consent;
        page.period = period;
        if consent == Consent::Denied {
            for item in self.items.iter().filter(|item| !item.told) {
                page.effects.push(Effect::Ended(item.id, Verdict::NoConsent, Reason::Refused, 0));
            }
            self.items.clear();
            page.latecomers = 0;
            page.effects.push(Effect::Purge);
            return;
        }
        for item in self.items.iter_mut() {
            let before = item.hold;
            item.hold = hold(&item.decision, consent);
            // Waiting for a landing page is not waiting for a destination.
            if before != item.hold {
                item.arrived = page.running;
            }
            page.store(item);
        }
        self.look_for_waiting();
    }

    /// A destination was looked for, and is in this state.
    pub fn found(&mut self, destination: Destination, state: State) {
        let page = &mut self.page;
        let it = only(destination) & page.used;
        let failed = state == State::Failed;
        let changed = (page.stubs | page.ready) & it != 0 || failed != (page.failed & it != 0);
        assign(&mut page.stubs, it, state == State::Stub);
        assign(&mut page.ready, it, matches!(state, State::Ready | State::ReadyAndConfirms));
        assign(&mut page.failed, it, failed);
        if state != State::Missing {
            page.wanted |= it;
        }
        let lacks = (page.stubs | page.ready) & it == 0;
        for item in self.items.iter_mut() {
            if item.open & it == 0 {
                continue;
            }
            let news = changed || item.seen & it == 0;
            item.seen |= it;
            if item.stub & it != 0 {
                if state == State::ReadyAndConfirms {
                    item.stub &= !it;
                    item.tool |= it;
                    item.taken |= it;
                    item.taken_at = page.running;
                    page.effects.push(Effect::Trace(item.id, Step::Tool(destination)));
                } else if state == State::Ready {
                    page.confirm(item, destination);
                }
            } else if item.taken & it != 0 {
                if page.running - item.taken_at >= GRACE_MS {
                    page.confirm(item, destination);
                }
            } else if lacks && news && item.wanted(page.wanted) & !item.tool & it != 0 {
                page.effects.push(Effect::Trace(item.id, Step::Waiting(destination, state)));
            }
        }
    }

    /// This is remembered for the key of an item.
    pub fn recalled(&mut self, id: u32, destination: Destination, memory: &Memory) {
        let it = only(destination);
        let known = memory.get(place(destination)).copied().unwrap_or(Mark::NONE);
        // The very same: a change that overtook this one says nothing of it.
        if let Some(item) = find(&mut self.items, id)
            && known == Mark::new(item.occurrence(destination), true)
        {
            item.open &= !it;
            item.known |= it;
            self.page.finish(item, Reason::OtherTab, 0);
        }
    }

    /// A destination was called with what it was to be sent.
    pub fn called(&mut self, id: u32, destination: Destination, call: Call) {
        let page = &mut self.page;
        let passed = page.steady - page.called_at;
        if passed > 0.0 {
            page.spent += passed;
        }
        page.called_at = page.steady;
        let it = only(destination);
        if call == Call::Threw {
            page.blocked |= it;
        }
        // Nobody confirms thousands at once: past the limit, a return has to do.
        let confirms = call == Call::WillConfirm && self.items.len() <= LIMIT;
        let Some(item) = find(&mut self.items, id).filter(|item| item.all & it != 0) else { return };
        if call == Call::Threw {
            item.tired |= item.threw_twice & it;
            item.threw_twice |= item.threw & it;
            item.threw |= it;
            page.effects.push(Effect::Trace(id, Step::Threw(destination)));
            return;
        }
        item.offered |= it;
        let real = page.stubs & it == 0;
        assign(&mut item.tool, it, real);
        assign(&mut item.stub, it, !real);
        page.effects
            .push(Effect::Trace(id, if real { Step::Tool(destination) } else { Step::Stub(destination) }));
        if real && !confirms {
            page.remember(item, destination);
            page.confirm(item, destination);
        } else {
            // Before it is remembered: else what was offered would look like another tab's.
            page.store_again(item);
            page.remember(item, destination);
        }
    }

    /// A destination told that it took charge.
    pub fn confirmed(&mut self, id: u32, destination: Destination) {
        if let Some(item) = find(&mut self.items, id) {
            self.page.confirm(item, destination);
        }
    }

    /// The page wants everything tried again, whatever a destination threw at it.
    pub fn flush(&mut self) {
        for item in self.items.iter_mut() {
            item.threw = 0;
            item.threw_twice = 0;
            item.tired = 0;
        }
    }

    /// The page is being left.
    pub fn hidden(&mut self) {
        self.page.leaving = true;
        self.page.release = true;
        self.tick();
    }

    /// The page came back from the back-forward cache.
    pub fn shown(&mut self) {
        self.page.leaving = false;
        self.tick();
    }

    /// Some time passed, or something happened that makes another look worth while.
    pub fn tick(&mut self) {
        // Nobody waits longer for those that come late than for the others.
        let over = self.page.wall - self.page.options.max_wait_ms;
        for item in self.items.iter_mut() {
            item.recalled = 0;
            item.new = false;
            if item.told && item.received_at <= over {
                item.open = 0;
            }
        }
        self.page.spent = 0.0;
        self.page.blocked = 0;
        self.look_for_waiting();
    }

    /// The next thing to do, as one number: what [`Effect::parts`] says, the item in front:
    /// kind + 16 * (destination + 8 * (argument + 65536 * item)); 0 when there is nothing.
    pub fn poll(&mut self) -> f64 {
        let effect = self.page.effects.next();
        if effect != 0.0 {
            return effect;
        }
        if let Some(destination) = each(self.page.look).next() {
            self.page.look &= !only(destination);
            self.page.effects.push(Effect::Look(destination));
        } else if !self.send_next() {
            self.give_up();
            // With the others nothing more can happen.
            self.items.sweep();
            self.page.latecomers = self.items.iter().filter(|item| item.told).count();
            if self.page.effects.is_empty() && std::mem::take(&mut self.page.release) {
                self.page.effects.push(Effect::Release);
            }
        }
        self.page.effects.next()
    }

    /// In how many ms the outbox wants a [`Outbox::tick`]; -1 when it wants none.
    pub fn wake_in(&self) -> f64 {
        let page = &self.page;
        let mut wanted = -1.0;
        if page.leaving {
            return wanted;
        }
        for item in self.items.iter().filter(|item| !item.told) {
            if item.is_fresh() && item.hold.is_none() || page.spent >= SLICE_MS && page.waits(item) {
                return 0.0;
            }
            // Nothing is asked of time for those that may come late: their script's load wakes us.
            let due = item.wanted(page.wanted) & item.unsettled() & !item.tired;
            if due != 0 && !item.parked && item.hold != Some(Hold::Consent) {
                wanted = page.options.poll_interval_ms;
            }
        }
        wanted
    }

    fn send_next(&mut self) -> bool {
        let page = &mut self.page;
        let takes = (page.stubs | page.ready) & !page.blocked;
        if page.is_paused() || page.consent != Consent::Granted {
            return false;
        }
        for item in self.items.iter_mut() {
            let Some(destination) = each(item.waiting() & takes & !item.tired).next() else { continue };
            if item.hold.is_some() || item.is_fresh() {
                continue;
            }
            // Other tabs deliver too: what was not compared in this round is compared now. What
            // an earlier page handed over is offered again in any case, under the same
            // idempotency key: it may never have arrived.
            if (item.offered | item.recalled) & only(destination) == 0 && page.is_running(item) {
                item.recalled |= only(destination);
                page.effects.push(Effect::Recall(item.id, destination));
            } else {
                page.called_at = page.steady;
                page.effects.push(Effect::Send(item.id, destination));
            }
            return true;
        }
        false
    }

    /// Called when everybody who could take something has it, or the rest has to pause.
    fn give_up(&mut self) {
        let page = &mut self.page;
        let paused = page.is_paused();
        for item in self.items.iter_mut() {
            if item.hold == Some(Hold::Consent) || item.is_fresh() || item.told {
                continue;
            }
            let open = item.open & item.wanted(page.wanted);
            let waits = page.waits(item);
            // Those it has to go to have it from an earlier page, unless there is another reason.
            let mut reason = Reason::Before;
            if open != 0 {
                if paused {
                    continue;
                }
                reason = Reason::Overdue;
                if !waits || !page.is_overdue(item) {
                    let waited = page.running - item.arrived;
                    if item.parked || open & !item.tool == 0 || waited < page.options.max_wait_ms {
                        continue;
                    }
                    item.parked = true;
                    page.effects.push(Effect::Trace(item.id, Step::Parked));
                    if !waits || page.options.carry_over_ms > 0.0 {
                        continue;
                    }
                    reason = Reason::WaitedOut;
                }
                item.expired |= item.open;
                item.open = 0;
            }
            page.finish(item, reason, 0);
        }
    }

    fn is_full(&self) -> bool {
        let waiting = || self.items.iter().filter(|item| self.page.waits(item)).count();
        self.items.len() >= LIMIT && (waiting() >= LIMIT || self.items.len() >= lists::ROOM)
    }

    fn look_for_waiting(&mut self) {
        for item in self.items.iter() {
            if item.hold != Some(Hold::Consent) {
                self.page.look |= item.unsettled();
            }
        }
    }
}

#[inline(never)]
fn find(items: &mut [Item], id: u32) -> Option<&mut Item> {
    items.iter_mut().find(|item| item.id == id)
}
