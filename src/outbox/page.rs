//! What the outbox knows beside its items, and what it does with one of them.

use super::lists::Queue;
use super::{Effect, SLICE_MS, Step};
use crate::gate::{Consent, Options, Reason, Verdict};
use crate::key::Hash;
use crate::parcel::{Destination, Item, Mark, Set, each, only};

/// How many decisions that are told already are kept for destinations that come late.
const LATECOMERS: usize = 100;

/// What is known beside the items.
// In this order: small addresses are short where they are named, and most lists lie behind.
#[repr(C)]
pub struct Page {
    pub options: Options,
    /// Milliseconds since the epoch. Only this clock means something to the next page.
    pub wall: f64,
    /// Milliseconds on a clock that never jumps back.
    pub steady: f64,
    /// Milliseconds that the page was running.
    pub running: f64,
    /// For how long handing over has kept the page busy.
    pub spent: f64,
    pub called_at: f64,
    pub consent: Consent,
    /// What the dedupe scope calls one period: the id of the session, for instance.
    pub period: Hash,
    /// Whether there was news of a redirect since the facts were last told.
    pub redirects: bool,
    pub leaving: bool,
    pub release: bool,
    /// How many items are told already.
    pub latecomers: usize,
    /// The destinations we serve.
    pub used: Set,
    /// Those where every decision has to go: with `destinations: "auto"`, only once they were seen.
    pub wanted: Set,
    /// Those that have to be looked for.
    pub look: Set,
    /// Those that threw in this round.
    pub blocked: Set,
    /// Those of which there is a stub.
    pub stubs: Set,
    /// Those whose real tool is there.
    pub ready: Set,
    /// Those that failed.
    pub failed: Set,
    pub effects: Queue,
}

impl Page {
    /// A page on which nothing happened yet.
    pub const NONE: Page = Page {
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
        latecomers: 0,
        used: 0,
        wanted: 0,
        look: 0,
        blocked: 0,
        stubs: 0,
        ready: 0,
        failed: 0,
        effects: Queue::NONE,
    };

    /// See [`Outbox::renew`](super::Outbox::renew).
    pub fn renew(&mut self) {
        let Page {
            options: _,
            wall,
            steady,
            running,
            spent,
            called_at,
            consent,
            period,
            redirects,
            leaving,
            release,
            latecomers,
            used,
            wanted,
            look,
            blocked,
            stubs,
            ready,
            failed,
            effects,
        } = self;
        effects.clear();
        for time in [wall, steady, running, spent, called_at] {
            *time = 0.0;
        }
        for set in [used, wanted, look, blocked, stubs, ready, failed] {
            *set = 0;
        }
        for flag in [redirects, leaving, release] {
            *flag = false;
        }
        (*consent, *period, *latecomers) = (Consent::Granted, Hash::NONE, 0);
    }

    /// What waits among these items for the key of this one, if it was made in the running period.
    #[inline(never)]
    pub fn last_mark(&self, items: &[Item], item: &Item, destination: Destination) -> Mark {
        let counts = |it: &&Item| {
            it.decision.key == item.decision.key && it.all & only(destination) != 0 && self.is_running(it)
        };
        items.iter().rev().find(counts).map_or(Mark::NONE, |it| {
            Mark::new(it.occurrence(destination), it.decision.outcome == item.decision.outcome)
        })
    }

    /// Whether it was made in the dedupe period that is running: an earlier page, tab or session may
    /// have left it.
    pub fn is_running(&self, item: &Item) -> bool {
        item.period == self.period && !self.options.is(Options::REPEATS)
    }

    pub fn is_paused(&self) -> bool {
        self.spent >= SLICE_MS && !self.leaving
    }

    pub fn is_overdue(&self, item: &Item) -> bool {
        let limit = self.options.carry_over_ms;
        // A clock that is set forward lets nothing expire that came on this very page.
        limit > 0.0
            && self.wall - item.received_at > limit
            && (item.carried || self.steady - item.came_at > limit)
    }

    /// Whether an item waits for a destination that it has to go to.
    pub fn waits(&self, item: &Item) -> bool {
        !item.told && item.waiting() & item.wanted(self.wanted) != 0
    }

    /// Has an item written down as soon as it may be.
    #[inline(never)]
    pub fn store(&mut self, item: &mut Item) {
        if self.consent == Consent::Granted && self.options.carry_over_ms > 0.0 && !item.stored && !item.told
        {
            item.stored = true;
            self.store_again(item);
        }
    }

    /// Has what was written down brought up to date.
    #[inline(never)]
    pub fn store_again(&mut self, item: &Item) {
        if item.stored {
            self.effects.push(Effect::Store(item.id));
        }
    }

    /// From here on the same decision is a duplicate.
    #[inline(never)]
    pub fn remember(&mut self, item: &Item, destination: Destination) {
        if self.is_running(item) {
            self.effects.push(Effect::Remember(item.id, destination, item.occurrence(destination)));
        }
    }

    /// It never arrived as far as we know: the same decision may be told again.
    #[inline(never)]
    pub fn forget(&mut self, item: &Item) {
        if self.is_running(item) {
            for destination in each(item.expired) {
                self.effects.push(Effect::Forget(item.id, destination, item.occurrence(destination)));
            }
        }
    }

    #[inline(never)]
    pub fn confirm(&mut self, item: &mut Item, destination: Destination) {
        let it = only(destination);
        if item.open & it == 0 {
            return;
        }
        // A tool may take charge before its `track` has returned.
        if item.waiting() & it != 0 {
            self.remember(item, destination);
        }
        item.open &= !it;
        item.delivered |= it;
        self.effects.push(Effect::Trace(item.id, Step::Confirmed(destination)));
        self.finish(item, Reason::TookCharge, destination);
        // It may wait for others: the next page offers it to them alone.
        self.store_again(item);
    }

    /// Ends the item when its last parcel has ended. Delivered anywhere is delivered. Destinations
    /// that nobody has seen yet are not waited for, but may still come.
    #[inline(never)]
    pub fn finish(&mut self, item: &mut Item, reason: Reason, destination: Destination) {
        // Who is on the page is known once everybody was looked for.
        let awaited = if self.look != 0 { item.all } else { item.wanted(self.wanted) };
        if awaited & item.open != 0 || item.told {
            return;
        }
        item.told = true;
        if std::mem::take(&mut item.stored) {
            self.effects.push(Effect::Erase(item.id));
        }
        self.forget(item);
        let verdict = if item.delivered != 0 {
            Verdict::Delivered
        } else if item.expired != 0 {
            Verdict::Expired
        } else {
            Verdict::Duplicate
        };
        self.effects.push(Effect::Ended(item.id, verdict, reason, destination));
        if self.latecomers >= LATECOMERS {
            item.open = 0;
        }
        if item.open != 0 {
            self.latecomers += 1;
        }
    }
}
