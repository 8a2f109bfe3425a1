//! A browser without a browser: a page whose outbox is driven by hand, and what its visitor's
//! storage keeps from one page to the next. It does what the shell in `www/` does.

use std::collections::BTreeMap;

use decision_bridge::gate::{Consent, Options, Reason, Verdict};
use decision_bridge::key::Hash;
use decision_bridge::outbox::{Call, Effect, Outbox, Step};
use decision_bridge::parcel::{Destination, Item, Mark, Memory, PLACES, Set, State};
use serde_json::{Value, json};

use super::{AT, Decided, NAMES, SEGMENT, effect, hash, options, words};

mod checks;
mod hands;
mod visit;

pub const READY: State = State::ReadyAndConfirms;
pub const READY_AND_SILENT: State = State::Ready;

/// A moment, on both of the page's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub wall: f64,
    pub steady: f64,
}

/// What is known about the page and its visitor.
#[derive(Clone, Debug)]
pub struct Facts {
    pub consent: Consent,
    pub visitor: String,
    pub period: String,
    /// The experiment whose redirect is in flight, if any is.
    pub redirect: String,
}

/// How `track` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Returns,
    WillConfirm,
    Throws,
}

/// A call of `track`.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Which of all decisions that ever came.
    pub arrival: usize,
    pub id: u32,
    pub destination: Destination,
    pub page: u32,
    pub message_id: Hash,
    pub threw: bool,
}

/// What was last handed to each destination for a key: occurrence and outcome.
pub type Remembered = [Option<(u16, Hash)>; NAMES.len()];

/// An item as it is written down.
#[derive(Clone, Debug)]
pub struct Record {
    pub decided: Decided,
    pub received_at: f64,
    pub period: String,
    /// Destination, occurrence, idempotency key, and whether it was handed over.
    pub parcels: Vec<(Destination, u16, Hash, bool)>,
}

/// What JavaScript knows of each item beside the core.
#[derive(Clone, Debug)]
pub struct Known {
    pub decided: Decided,
    pub received_at: f64,
    /// An earlier page's, which is kept as it is.
    pub period: Option<String>,
    /// The idempotency keys that are settled: those of an earlier page, and those that were used.
    pub message_ids: BTreeMap<Destination, Hash>,
}

pub struct World {
    pub options: Options,
    pub destinations: Set,
    each_page_is_a_scope: bool,
    pub outbox: Box<Outbox>,
    pub now: Now,
    pub facts: Facts,
    pub segment: State,
    /// The destinations beside Segment that are on the page, and their states.
    pub others: Vec<(Destination, State)>,
    /// How all of them answer, but those that fail.
    pub answer: Answer,
    /// These throw whatever they are told.
    pub failing: Vec<Destination>,
    /// How long `track` takes, in ms.
    pub takes: f64,
    pub page: u32,
    pub memory: BTreeMap<Hash, Remembered>,
    pub stored: BTreeMap<u32, Record>,
    pub known: BTreeMap<u32, Known>,
    /// The arrival behind each item.
    pub arrivals: BTreeMap<u32, usize>,
    pub came: usize,
    ids: u32,
    /// The last item of the page before this one.
    before_page: u32,
    pub sent: Vec<Sent>,
    /// Hand-overs that may still be confirmed.
    pub unconfirmed: Vec<(u32, Destination)>,
    /// The items of which a destination took charge.
    pub confirmed: Vec<(u32, Destination)>,
    pub ended: Vec<(u32, Verdict, Reason)>,
    pub steps: Vec<String>,
    /// Effects that were done since this was last set to 0, of those that do something.
    pub work: usize,
    /// Effects that need consent, done without it.
    pub trespasses: Vec<String>,
}

/// An outbox that serves nobody. It is too large for a test's stack, so it is copied from where it is to where
/// it shall be.
pub fn outbox() -> Box<Outbox> {
    static NONE: Outbox = Outbox::NONE;
    let mut outbox = Box::<Outbox>::new_uninit();
    // SAFETY: an outbox is numbers alone, owns nothing, and all of it is copied.
    unsafe {
        outbox.as_mut_ptr().copy_from_nonoverlapping(&raw const NONE, 1);
        outbox.assume_init()
    }
}

impl World {
    /// A first page with these options, with Segment loaded.
    #[track_caller]
    pub fn with(given: Value) -> World {
        let (options, destinations, each_page_is_a_scope) = options(given);
        let mut world = World {
            options,
            destinations,
            each_page_is_a_scope,
            outbox: outbox(),
            now: Now { wall: AT, steady: 1000.0 },
            facts: Facts {
                consent: Consent::Granted,
                visitor: "visitor".into(),
                period: "s1".into(),
                redirect: String::new(),
            },
            segment: READY_AND_SILENT,
            others: Vec::new(),
            failing: Vec::new(),
            answer: Answer::Returns,
            takes: 0.0,
            page: 1,
            memory: BTreeMap::new(),
            stored: BTreeMap::new(),
            known: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            came: 0,
            ids: 0,
            before_page: 0,
            sent: Vec::new(),
            unconfirmed: Vec::new(),
            confirmed: Vec::new(),
            ended: Vec::new(),
            steps: Vec::new(),
            work: 0,
            trespasses: Vec::new(),
        };
        world.outbox = world.fresh();
        world.learn();
        world
    }

    pub fn new() -> World {
        World::with(json!({}))
    }

    /// A first page that names these destinations.
    pub fn naming(destinations: &[Destination]) -> World {
        let names: Vec<_> = destinations.iter().map(|it| NAMES[*it as usize]).collect();
        World::with(json!({"destinations": names}))
    }

    /// A first page without analytics.
    pub fn without_segment() -> World {
        let mut world = World::new();
        world.segment = State::Missing;
        world
    }

    /// The outbox of a page that just begins.
    pub fn fresh(&self) -> Box<Outbox> {
        let mut outbox = outbox();
        outbox.now(self.now.wall, self.now.steady);
        outbox.init(self.options, self.destinations);
        outbox
    }

    /// A decision comes in; answers with the number of its arrival.
    pub fn decide(&mut self, decided: Decided) -> usize {
        let arrival = self.tell(decided);
        self.run();
        arrival
    }

    /// The outbox is told of a decision, and nothing that it asks for is done yet.
    pub fn tell(&mut self, decided: Decided) -> usize {
        let arrival = self.came;
        self.came += 1;
        self.now.wall += 1.0;
        let id = self.next_id(arrival, &decided, self.now.wall, None);
        self.introduce(id);
        arrival
    }

    fn introduce(&mut self, id: u32) {
        let decision = self.known[&id].decided.told();
        let memory = self.recall(id);
        self.outbox().decided(id, decision, &memory);
    }

    fn next_id(
        &mut self,
        arrival: usize,
        decided: &Decided,
        received_at: f64,
        period: Option<String>,
    ) -> u32 {
        self.ids += 1;
        self.arrivals.insert(self.ids, arrival);
        let decided = decided.clone();
        let known = Known { decided, received_at, period, message_ids: BTreeMap::new() };
        self.known.insert(self.ids, known);
        self.ids
    }

    /// The outbox, which knows what time it is.
    pub fn outbox(&mut self) -> &mut Outbox {
        self.outbox.now(self.now.wall, self.now.steady);
        &mut self.outbox
    }

    /// In how many ms the outbox wants a tick.
    pub fn wake_in(&self) -> Option<f64> {
        Some(self.outbox.wake_in()).filter(|ms| *ms >= 0.0)
    }

    /// How many decisions are pending.
    pub fn pending(&self) -> usize {
        self.outbox.pending() as usize
    }

    pub fn poll(&mut self) -> Option<Effect> {
        effect(self.outbox.poll())
    }

    /// Does what the outbox asks until it asks no more.
    pub fn run(&mut self) {
        while let Some(effect) = self.poll() {
            self.perform(effect);
        }
    }

    /// Does what the outbox asks up to this, which it must ask and which is not done.
    pub fn run_up_to(&mut self, here: impl Fn(Effect) -> bool) {
        while let Some(effect) = self.poll() {
            if here(effect) {
                return;
            }
            self.perform(effect);
        }
        panic!("it is not asked, steps: {:#?}", self.steps);
    }

    /// Time passes, and something makes another look worth while.
    pub fn after(&mut self, ms: f64) {
        self.now.wall += ms;
        self.now.steady += ms;
        self.outbox().tick();
        self.run();
    }

    /// Time passes tick by tick, as long as the outbox wants ticks, and this long at most.
    pub fn wait(&mut self, ms: f64) {
        let until = self.now.steady + ms;
        while let Some(next) = self.wake_in() {
            if self.now.steady + next > until {
                break;
            }
            self.after(next.max(1.0));
        }
        let rest = until - self.now.steady;
        self.now.wall += rest;
        self.now.steady += rest;
    }

    /// In which state a destination is.
    pub fn state_of(&self, destination: Destination) -> State {
        let other = self.others.iter().find(|(known, _)| *known == destination);
        match other {
            _ if destination == SEGMENT => self.segment,
            Some((_, state)) => *state,
            None => State::Missing,
        }
    }

    /// From now on a destination is in this state, and somebody looks.
    pub fn is(&mut self, destination: Destination, state: State) {
        if destination == SEGMENT {
            self.segment = state;
        } else {
            self.others.retain(|(known, _)| *known != destination);
            self.others.push((destination, state));
        }
        self.after(0.0);
    }

    /// From now on `window.analytics` is in this state, and somebody looks.
    pub fn segment_is(&mut self, state: State) {
        self.segment = state;
        self.after(0.0);
    }

    pub fn consent_is(&mut self, consent: Consent) {
        self.is_told_of_consent(consent);
        self.after(0.0);
    }

    /// The outbox is told of consent, and nothing that it asks for is done yet. At the first answer it begins
    /// anew, and is told again what it had.
    pub fn is_told_of_consent(&mut self, consent: Consent) {
        let before = std::mem::replace(&mut self.facts.consent, consent);
        let mut again = Vec::new();
        if before == Consent::Unknown && consent != before {
            let (options, destinations) = (self.options, self.destinations);
            self.outbox().init(options, destinations);
            let has_ended = |id: &u32| self.ended.iter().any(|(ended, ..)| ended == id);
            again.extend((self.before_page + 1..=self.ids).filter(|id| !has_ended(id)));
        }
        self.tell_facts();
        if consent == Consent::Granted && before != consent {
            self.take_over();
        }
        for id in again {
            self.introduce(id);
        }
    }

    pub fn learn(&mut self) {
        self.tell_facts();
        self.run();
    }

    pub fn tell_facts(&mut self) {
        for (id, known) in &self.known {
            self.outbox.leaving(*id, known.decided.experiment == self.facts.redirect);
        }
        let (consent, period) = (self.facts.consent, hash(&[&self.facts.period]));
        self.outbox().facts(consent, period);
    }
}
