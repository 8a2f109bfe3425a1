//! A browser without a browser: a page whose outbox is driven by hand, and what its visitor's
//! storage keeps from one page to the next.

use std::collections::BTreeMap;
use std::rc::Rc;

use decision_bridge::decision::{Decision, Verdict};
use decision_bridge::destination::{Destination, State};
use decision_bridge::gate::{Consent, Facts};
use decision_bridge::options::{Dedupe, Options};
use decision_bridge::outbox::{Call, Effect, Input, Now, Outbox, Sending, Step};
use decision_bridge::parcel::Item;
use decision_bridge::store::Memory;
use serde_json::{Value, json};

use super::{AT, options};

pub const READY: State = State::Ready { confirms: true };
pub const READY_AND_SILENT: State = State::Ready { confirms: false };

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
    pub page: u32,
    pub message_id: String,
    pub threw: bool,
    pub sending: Sending,
}

pub struct World {
    pub options: Rc<Options>,
    pub outbox: Outbox,
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
    pub memory: BTreeMap<String, Memory>,
    pub stored: BTreeMap<u32, String>,
    /// The arrival behind each item.
    pub arrivals: BTreeMap<u32, usize>,
    pub came: usize,
    ids: u32,
    pub sent: Vec<Sent>,
    /// Hand-overs that may still be confirmed.
    pub unconfirmed: Vec<(u32, Destination)>,
    /// The items of which a destination took charge.
    pub confirmed: Vec<(u32, Destination)>,
    pub ended: Vec<(u32, Verdict, String)>,
    pub steps: Vec<String>,
    /// Effects that were done since this was last set to 0, of those that do something.
    pub work: usize,
    /// Effects that need consent, done without it.
    pub trespasses: Vec<String>,
}

impl World {
    /// A first page with these options, with Segment loaded.
    #[track_caller]
    pub fn with(given: Value) -> World {
        let options = options(given);
        let now = Now { wall: AT, steady: 1000.0 };
        let mut world = World {
            outbox: Outbox::new(Rc::clone(&options), now),
            options,
            now,
            facts: Facts {
                visitor: "visitor".into(),
                project: "key".into(),
                period: "s1".into(),
                ..Facts::default()
            },
            segment: READY_AND_SILENT,
            others: Vec::new(),
            failing: Vec::new(),
            answer: Answer::Returns,
            takes: 0.0,
            page: 1,
            memory: BTreeMap::new(),
            stored: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            came: 0,
            ids: 0,
            sent: Vec::new(),
            unconfirmed: Vec::new(),
            confirmed: Vec::new(),
            ended: Vec::new(),
            steps: Vec::new(),
            work: 0,
            trespasses: Vec::new(),
        };
        world.learn();
        world
    }

    pub fn new() -> World {
        World::with(json!({}))
    }

    /// A first page without analytics.
    pub fn without_segment() -> World {
        let mut world = World::new();
        world.segment = State::Missing;
        world
    }

    /// A decision comes in; answers with the number of its arrival.
    pub fn decide(&mut self, decision: Decision) -> usize {
        let arrival = self.came;
        self.came += 1;
        self.now.wall += 1.0;
        let id = self.next_id(arrival);
        let memory = self.recall(&decision.key());
        self.handle(Input::Decided(id, decision, memory));
        self.run();
        arrival
    }

    fn next_id(&mut self, arrival: usize) -> u32 {
        self.ids += 1;
        self.arrivals.insert(self.ids, arrival);
        self.ids
    }

    pub fn handle(&mut self, input: Input) {
        self.outbox.handle(self.now, input);
    }

    /// Does what the outbox asks until it asks no more.
    pub fn run(&mut self) {
        while let Some(effect) = self.outbox.poll(self.now) {
            self.perform(effect);
        }
    }

    /// Time passes, and something makes another look worth while.
    pub fn after(&mut self, ms: f64) {
        self.now.wall += ms;
        self.now.steady += ms;
        self.handle(Input::Tick);
        self.run();
    }

    /// Time passes tick by tick, as long as the outbox wants ticks, and this long at most.
    pub fn wait(&mut self, ms: f64) {
        let until = self.now.steady + ms;
        while let Some(next) = self.outbox.wake_in() {
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
            _ if destination == Destination::Segment => self.segment,
            Some((_, state)) => *state,
            None => State::Missing,
        }
    }

    /// From now on a destination is in this state, and somebody looks.
    pub fn is(&mut self, destination: Destination, state: State) {
        if destination == Destination::Segment {
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
        let opens = consent == Consent::Granted && self.facts.consent != Consent::Granted;
        self.facts.consent = consent;
        self.handle(Input::Facts(self.facts.clone()));
        if opens {
            self.take_over();
        }
        self.after(0.0);
    }

    pub fn learn(&mut self) {
        self.handle(Input::Facts(self.facts.clone()));
        self.run();
    }

    /// The tool tells that it took charge of what it was handed first.
    pub fn confirm_oldest(&mut self) {
        if !self.unconfirmed.is_empty() {
            let (id, destination) = self.unconfirmed.remove(0);
            self.handle(Input::Confirmed(id, destination));
            self.run();
        }
    }

    pub fn leave(&mut self) {
        self.handle(Input::Leaving);
        self.run();
    }

    pub fn come_back(&mut self) {
        self.handle(Input::Returned);
        self.run();
    }

    /// The visitor goes to another page, which takes over what was written down.
    pub fn go_on(&mut self) {
        let consent = self.facts.consent;
        self.go_on_with(consent);
    }

    /// The visitor goes to another page, which knows this about consent.
    pub fn go_on_with(&mut self, consent: Consent) {
        self.leave();
        self.facts.consent = consent;
        self.page += 1;
        self.unconfirmed.clear();
        self.outbox = Outbox::new(Rc::clone(&self.options), self.now);
        if self.options.dedupe() == Dedupe::Page {
            self.memory.clear();
            self.facts.period = format!("page {}", self.page);
        }
        self.learn();
        self.take_over();
        self.run();
    }

    pub fn take_over(&mut self) {
        if self.facts.consent != Consent::Granted {
            return;
        }
        for (old, record) in std::mem::take(&mut self.stored) {
            if let Some(mut item) = Item::from_record(&record) {
                item.id = self.next_id(self.arrivals[&old]);
                self.handle(Input::Carried(item));
            }
        }
    }

    fn recall(&self, key: &str) -> Memory {
        let memory = self.memory.get(key).cloned().unwrap_or_default();
        if self.facts.consent == Consent::Granted { memory } else { Memory::default() }
    }

    fn needs_consent(&mut self, what: &str) {
        if self.facts.consent != Consent::Granted {
            self.trespasses.push(what.to_owned());
        }
    }

    fn perform(&mut self, effect: Effect) {
        if !matches!(effect, Effect::Trace(..) | Effect::Ended(..)) {
            self.work += 1;
        }
        match effect {
            Effect::Store(id, record) => {
                self.needs_consent("stored");
                self.stored.insert(id, record);
            }
            Effect::Erase(id) => {
                self.stored.remove(&id);
            }
            Effect::Look(destination) => {
                self.handle(Input::Found(destination, self.state_of(destination)));
            }
            Effect::Recall(id, destination, key) => {
                let memory = self.recall(&key);
                self.handle(Input::Recalled(id, destination, memory));
            }
            Effect::Send(sending) => self.send(*sending),
            Effect::Remember(key, destination, mark) => {
                self.needs_consent("remembered");
                self.memory.entry(key).or_default().remember(destination, mark);
            }
            Effect::Forget(key, destination, mark) => {
                self.memory.entry(key).or_default().forget(destination, &mark);
            }
            Effect::Purge => {
                self.stored.clear();
                self.memory.clear();
                // The session is forgotten too: the next one has another id.
                self.facts.period = format!("after {}", self.facts.period);
            }
            Effect::Release => {}
            Effect::Trace(id, step) => {
                if let Step::Confirmed(destination) = step {
                    self.confirmed.push((id, destination));
                }
                let arrival = self.arrivals[&id];
                self.steps.push(format!("{arrival}: {}", step.told()));
            }
            Effect::Ended(id, verdict, why) => self.ended.push((id, verdict, why)),
        }
    }

    fn send(&mut self, sending: Sending) {
        self.needs_consent("sent");
        self.now.wall += self.takes;
        self.now.steady += self.takes;
        let (id, destination) = (sending.id, sending.destination);
        let fails = self.failing.contains(&destination);
        let answer = if fails { Answer::Throws } else { self.answer };
        let threw = answer == Answer::Throws;
        let message_id = sending.message_id.clone();
        let (arrival, page) = (self.arrivals[&id], self.page);
        self.sent.push(Sent { arrival, id, page, message_id, threw, sending });
        let call = match answer {
            Answer::Throws => Call::Threw("boom".to_owned()),
            Answer::Returns if self.state_of(destination) != State::Stub => Call::Returned,
            _ => Call::WillConfirm,
        };
        if call == Call::WillConfirm {
            self.unconfirmed.push((id, destination));
        }
        self.handle(Input::Called(id, destination, call));
    }

    /// The arrivals that Segment was handed, in order, each call of `track` that returned.
    pub fn handed_over(&self) -> Vec<usize> {
        self.handed_to(Destination::Segment)
    }

    /// The same of any destination.
    pub fn handed_to(&self, destination: Destination) -> Vec<usize> {
        let to = self.sent.iter().filter(|sent| sent.sending.destination == destination);
        to.filter(|sent| !sent.threw).map(|sent| sent.arrival).collect()
    }

    /// How the items of an arrival ended.
    pub fn ends_of(&self, arrival: usize) -> Vec<Verdict> {
        let of = |id: &u32| self.arrivals[id] == arrival;
        self.ended.iter().filter(|(id, ..)| of(id)).map(|(_, verdict, _)| *verdict).collect()
    }

    #[track_caller]
    pub fn has_handed_over(&self, arrivals: &[usize]) -> &World {
        assert_eq!(self.handed_over(), arrivals, "steps: {:#?}", self.steps);
        self
    }

    #[track_caller]
    pub fn has_ended(&self, arrival: usize, verdict: Verdict) -> &World {
        assert_eq!(self.ends_of(arrival), [verdict], "steps: {:#?}", self.steps);
        self
    }

    #[track_caller]
    pub fn waits_for_nothing(&self) -> &World {
        assert_eq!((self.outbox.pending(), self.outbox.wake_in()), (0, None));
        assert!(self.stored.is_empty(), "{:?}", self.stored);
        self
    }
}
