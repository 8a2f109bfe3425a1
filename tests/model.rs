//! The outbox, whatever happens: what holds, against a naive model.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{AMPLITUDE, Decided, MIXPANEL, NAMES, SEGMENT, held_back, optimizely};
use decision_bridge::gate::{Consent, Decision, Verdict};
use decision_bridge::key::Hash;
use decision_bridge::parcel::{Destination, State};
use proptest::prelude::*;
use serde_json::json;

/// What may happen.
#[derive(Clone, Debug)]
enum Happens {
    /// One of a few experiments is decided for one of a few variations.
    Decided(u8, u8, bool),
    Passes(u16),
    /// One of the destinations is found in a state.
    Found(u8, State),
    Answers(Answer),
    /// One of the destinations begins to throw, or stops.
    Fails(u8, bool),
    Takes(u8),
    Confirmed,
    Consent(bool),
    /// The page is frozen and comes back; meanwhile another page took over and delivered, or not.
    LeavesAndReturns(bool),
    GoesOn,
}

fn happens() -> impl Strategy<Value = Happens> {
    use Happens::*;
    prop_oneof![
        8 => (0..3_u8, 0..3_u8, prop::bool::weighted(0.1)).prop_map(|(key, variation, held)| Decided(key, variation, held)),
        4 => (0..800_u16).prop_map(Passes),
        3 => (0..3_u8, prop::sample::select(vec![State::Missing, State::Stub, READY, READY_AND_SILENT, State::Failed]))
            .prop_map(|(which, state)| Found(which, state)),
        1 => (0..3_u8, any::<bool>()).prop_map(|(which, fails)| Fails(which, fails)),
        2 => prop::sample::select(vec![Answer::Returns, Answer::WillConfirm, Answer::Throws]).prop_map(Answers),
        1 => (0..30_u8).prop_map(Takes),
        3 => Just(Confirmed),
        1 => any::<bool>().prop_map(Consent),
        1 => any::<bool>().prop_map(LeavesAndReturns),
        2 => Just(GoesOn),
    ]
}

/// What has to come out, found the slow way: by searching all that ever came.
#[derive(Default)]
struct Naive {
    /// Key, outcome and number of each decision that was taken in, of those not forgotten since.
    taken: Vec<(Hash, Hash, usize)>,
    /// The same of those that wait for consent.
    held: Vec<(Hash, Hash, usize)>,
    consent: Consent,
}

fn repeats(before: &[(Hash, Hash, usize)], (key, outcome, _): &(Hash, Hash, usize)) -> bool {
    before.iter().rev().find(|(known, ..)| known == key).is_some_and(|(_, known, _)| known == outcome)
}

impl Naive {
    /// How a decision ends at once; none when it goes its way.
    fn judge(&mut self, decision: &Decided, arrival: usize) -> Option<Verdict> {
        let it = (decision.key(), decision.outcome(), arrival);
        let list = if self.consent == Consent::Unknown { &mut self.held } else { &mut self.taken };
        if decision.flags & Decision::HOLDBACK != 0 {
            Some(Verdict::Holdback)
        } else if repeats(list, &it) {
            Some(Verdict::Duplicate)
        } else if self.consent == Consent::Denied {
            Some(Verdict::NoConsent)
        } else {
            list.push(it);
            None
        }
    }

    /// The visitor answers the question for consent. These turn out to be duplicates.
    fn answered(&mut self, consent: Consent) -> Vec<usize> {
        self.consent = consent;
        if consent == Consent::Denied {
            self.taken.clear();
            self.held.clear();
        }
        let (mut duplicates, held) = (Vec::new(), std::mem::take(&mut self.held));
        for it in held {
            if repeats(&self.taken, &it) {
                duplicates.push(it.2);
            } else {
                self.taken.push(it);
            }
        }
        duplicates
    }
}

/// What holds at every moment for each destination, whatever becomes of the others.
#[track_caller]
fn holds_for(world: &World, destination: Destination, copied: bool) {
    let mut last_first = None;
    let mut key_of = BTreeMap::new();
    let mut arrival_of = BTreeMap::new();
    let all: Vec<_> = world.sent.iter().filter(|sent| sent.destination == destination).collect();
    for (at, sent) in all.iter().enumerate() {
        let known = key_of.insert(sent.arrival, &sent.message_id);
        assert!(
            known.is_none_or(|known| *known == sent.message_id),
            "an offer of {} has a new key",
            sent.arrival
        );
        let owner = arrival_of.insert(&sent.message_id, sent.arrival);
        assert!(owner.is_none_or(|owner| owner == sent.arrival), "{} has the key of another", sent.arrival);
        if known.is_none() {
            assert!(last_first < Some(sent.arrival), "{} is out of order", sent.arrival);
            last_first = Some(sent.arrival);
        }
        // Again only on a later page, and only what was not confirmed.
        let before = all[..at].iter().filter(|it| it.arrival == sent.arrival && !it.threw);
        for earlier in before.filter(|_| !copied) {
            assert!(earlier.page < sent.page, "{} was handed over twice", sent.arrival);
            let confirmed = world.confirmed.contains(&(earlier.id, destination));
            assert!(!confirmed, "{} was handed over after it was delivered", sent.arrival);
        }
    }
}

/// What holds at every moment.
#[track_caller]
fn holds(world: &World, copied: bool) {
    assert_eq!(world.trespasses, [""; 0], "without consent");
    if world.pending() == 0 {
        assert_eq!(world.wake_in(), None, "nothing is pending");
    }
    for destination in 0..NAMES.len() as Destination {
        holds_for(world, destination, copied);
    }
    let mut ended = BTreeMap::new();
    for (id, verdict, why) in &world.ended {
        assert_eq!(ended.insert(id, verdict), None, "{id} ended twice: {why:?}");
    }
}

const THREE: [Destination; 3] = [SEGMENT, AMPLITUDE, MIXPANEL];

/// Lets all this happen, then lets everything go well.
fn play(story: &[Happens], asks: bool, mut world: World, destinations: &[Destination]) {
    let which = |number: u8| destinations.get(usize::from(number)).copied();
    let mut naive = Naive::default();
    let (mut copied, mut lost) = (false, Vec::new());
    if asks {
        naive.consent = Consent::Unknown;
        world.consent_is(Consent::Unknown);
    }
    for event in story {
        match event.clone() {
            Happens::Decided(key, variation, held) => {
                // What two pages hand over at a time, under one key, nobody can say beforehand.
                if copied {
                    continue;
                }
                let decision = optimizely(&format!("e{key}"), &format!("v{variation}"));
                decides(&mut world, &mut naive, if held { held_back(decision) } else { decision });
            }
            Happens::Passes(ms) => world.after(f64::from(ms)),
            Happens::Found(number, state) => {
                if let Some(destination) = which(number) {
                    world.is(destination, state);
                }
            }
            Happens::Fails(number, fails) => {
                world.failing.retain(|it| Some(*it) != which(number));
                world.failing.extend(which(number).filter(|_| fails));
            }
            Happens::Answers(answer) => world.answer = answer,
            Happens::Takes(ms) => world.takes = f64::from(ms),
            Happens::Confirmed => {
                let oldest = world.unconfirmed.first();
                if oldest.is_some_and(|(_, it)| [READY, READY_AND_SILENT].contains(&world.state_of(*it))) {
                    world.confirm_oldest();
                }
            }
            Happens::Consent(granted) => {
                let consent = if granted { Consent::Granted } else { Consent::Denied };
                if !granted {
                    lost.extend((0..world.came).filter(|arrival| world.ends_of(*arrival).is_empty()));
                }
                world.consent_is(consent);
                for duplicate in naive.answered(consent) {
                    assert!(copied || world.ends_of(duplicate) == [Verdict::Duplicate], "{duplicate}");
                }
            }
            Happens::LeavesAndReturns(delivers) => {
                copied = true;
                world.leave();
                meanwhile_another_page(&mut world, delivers);
                world.come_back();
            }
            // Where consent was not given yet, or is asked for on each page, it is unknown there.
            Happens::GoesOn if asks => {
                lost.extend(naive.held.drain(..).map(|(.., arrival)| arrival));
                naive.consent = Consent::Unknown;
                world.go_on_with(Consent::Unknown);
            }
            Happens::GoesOn => world.go_on(),
        }
        holds(&world, copied);
    }
    if world.facts.consent == Consent::Unknown {
        naive.answered(Consent::Granted);
    }
    all_goes_well(&mut world, destinations);
    holds(&world, copied);
    all_came(&world, &naive, destinations);
    let delivered = world.handed_over();
    for arrival in 0..world.came {
        let ends = world.ends_of(arrival);
        let open_elsewhere = copied || delivered.contains(&arrival);
        assert!(!ends.is_empty() || open_elsewhere || lost.contains(&arrival), "{arrival} has no end");
    }
    world.work = 0;
    world.after(1000.0);
    assert_eq!(world.work, 0, "there is nothing left to do");
}

/// A decision is made, and judged as the naive one judges.
fn decides(world: &mut World, naive: &mut Naive, decision: Decided) {
    let expected = naive.judge(&decision, world.came);
    let arrival = world.decide(decision);
    let came = world.ends_of(arrival).first().copied();
    match expected {
        None => assert!([None, Some(Verdict::Delivered)].contains(&came), "{arrival}: {came:?}"),
        expected => assert_eq!(came, expected, "{arrival}"),
    }
}

/// The visitor agrees if nobody has asked yet, every tool is there and takes what it is told, on the next page.
fn all_goes_well(world: &mut World, destinations: &[Destination]) {
    if world.facts.consent == Consent::Unknown {
        world.consent_is(Consent::Granted);
    }
    (world.answer, world.takes) = (Answer::Returns, 0.0);
    world.failing.clear();
    for destination in destinations {
        world.is(*destination, READY_AND_SILENT);
    }
    world.go_on();
    world.wait(20_000.0);
    world.waits_for_nothing();
}

/// Whatever the naive one took has come to every destination.
fn all_came(world: &World, naive: &Naive, destinations: &[Destination]) {
    for destination in destinations {
        let delivered = world.handed_to(*destination);
        for (.., arrival) in &naive.taken {
            let steps = &world.steps;
            assert!(delivered.contains(arrival), "{arrival} never arrived at {destination:?}: {steps:#?}");
        }
    }
}

/// Another page takes over what was written down, and says goodbye before ours comes back.
fn meanwhile_another_page(world: &mut World, delivers: bool) {
    let before = (world.segment, world.answer);
    let fresh = world.fresh();
    let ours = std::mem::replace(&mut world.outbox, fresh);
    if delivers {
        (world.segment, world.answer) = (READY_AND_SILENT, Answer::Returns);
    }
    world.page += 1;
    world.learn();
    world.take_over();
    world.run();
    world.leave();
    (world.segment, world.answer) = before;
    world.outbox = ours;
    world.page += 1;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_each_decision_is_handed_over_once_and_in_order(
        story in proptest::collection::vec(happens(), 0..60),
    ) {
        play(&story, false, World::new(), &THREE[..1]);
    }

    #[test]
    fn whatever_happens_each_of_several_destinations_has_each_decision_once_and_in_order(
        story in proptest::collection::vec(happens(), 0..60),
    ) {
        play(&story, false, World::naming(&THREE), &THREE);
    }

    #[test]
    fn whatever_happens_nothing_leaves_without_consent(
        story in proptest::collection::vec(happens(), 0..60),
        several in any::<bool>(),
    ) {
        let destinations = if several { &THREE[..] } else { &THREE[..1] };
        let world = if several { World::naming(&THREE) } else { World::new() };
        play(&story, true, world, destinations);
    }

    /// The others are told the same, in the same order, under the same keys and on the same pages as
    /// if the one that fails were not there.
    #[test]
    fn whatever_happens_one_that_fails_never_touches_the_others(
        story in proptest::collection::vec(happens(), 0..60),
        failing in prop::sample::select(vec![State::Missing, State::Stub, READY, READY_AND_SILENT, State::Failed]),
    ) {
        let told = |world: &mut World| -> Vec<_> {
            for event in &story {
                match *event {
                    Happens::Decided(key, variation, _) => {
                        world.decide(optimizely(&format!("e{key}"), &format!("v{variation}")));
                    }
                    Happens::Passes(ms) => world.after(f64::from(ms)),
                    Happens::Found(number, state) => world.is(THREE[usize::from(number % 2)], state),
                    Happens::Answers(answer) => world.answer = answer,
                    Happens::Confirmed => world.confirm_oldest(),
                    Happens::GoesOn => world.go_on(),
                    _ => {}
                }
            }
            let others = world.sent.iter().filter(|sent| sent.destination != THREE[2]);
            others.map(|it| (it.destination, it.arrival, it.page, it.message_id)).collect()
        };
        let mut alone = World::naming(&THREE[..2]);
        let mut beside = World::naming(&THREE);
        beside.others.push((THREE[2], failing));
        beside.failing.push(THREE[2]);
        prop_assert_eq!(told(&mut alone), told(&mut beside));
        prop_assert!(beside.handed_to(THREE[2]).is_empty());
    }

    /// With expiry nobody can say beforehand what is a duplicate; that it ends once still holds.
    #[test]
    fn whatever_expires_ends_once(
        story in proptest::collection::vec((0..4_u8, 0..3_u8, 0..2000_u16), 0..60),
        options in prop::sample::select(vec![
            json!({"carryOverMs": 0}), json!({"carryOverMs": 3000, "maxWaitMs": 500}), json!({"maxWaitMs": 0, "carryOverMs": 1000}),
        ]),
    ) {
        let mut world = World::with(options);
        for (what, which, ms) in story {
            match what {
                0 => drop(world.decide(optimizely("e1", &format!("v{which}")))),
                1 => world.segment_is([State::Missing, State::Stub, READY_AND_SILENT][usize::from(which)]),
                2 => world.after(f64::from(ms)),
                _ => world.go_on(),
            }
            let mut ended = BTreeMap::new();
            for (id, verdict, why) in &world.ended {
                prop_assert!(ended.insert(id, verdict).is_none(), "{} ended twice: {:?}", id, why);
            }
            prop_assert!(world.pending() > 0 || world.wake_in().is_none());
        }
        world.segment = State::Missing;
        world.after(0.0);
        world.now.wall += 10_000.0;
        world.wait(10_000.0);
        world.go_on();
        world.waits_for_nothing();
    }
}
