//! Destinations that are a stub, and those that throw.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{SEGMENT, a, optimizely};
use decision_bridge::gate::Verdict;
use decision_bridge::outbox::{Call, Effect};
use decision_bridge::parcel::{Mark, PLACES, State};
use serde_json::json;

// A stub

#[test]
fn a_stub_is_handed_decisions_at_once_and_confirms_when_the_real_tool_is_there() {
    let mut world = World::new();
    world.segment = State::Stub;
    let it = world.decide(a());
    world.has_handed_over(&[it]);
    assert_eq!((world.pending(), world.stored.len()), (1, 1));
    world.wait(1000.0);
    world.segment_is(READY);
    assert_eq!(world.pending(), 1);
    world.confirm_oldest();
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
    assert_eq!(
        world.steps,
        ["0: handed to the stub of segment", "0: handed to segment", "0: segment took charge"]
    );
}

#[test]
fn a_stub_that_another_library_replaces_has_delivered() {
    let mut world = World::new();
    world.segment = State::Stub;
    let it = world.decide(a());
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn a_real_tool_that_confirms_nothing_it_took_over_is_given_ten_seconds() {
    let mut world = World::new();
    world.segment = State::Stub;
    let it = world.decide(a());
    world.segment_is(READY);
    world.wait(9000.0);
    assert_eq!(world.pending(), 1);
    world.wait(2000.0);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn a_stub_that_never_loads_is_looked_at_until_the_wait_is_over_and_the_next_page_offers_again() {
    let mut world = World::new();
    world.segment = State::Stub;
    let it = world.decide(a());
    world.wait(60_000.0);
    assert_eq!((world.pending(), world.wake_in(), world.stored.len()), (1, None, 1));
    world.go_on();
    world.has_handed_over(&[it, it]);
    assert_eq!(world.sent[0].message_id, world.sent[1].message_id);
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it, it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn a_destination_that_failed_is_told_nothing() {
    let mut world = World::new();
    world.segment = State::Failed;
    world.decide(a());
    world.wait(10_000.0);
    world.has_handed_over(&[]);
    assert_eq!(world.steps[0], "0: segment is failed: waits");
}

// Throws

#[test]
fn a_destination_that_throws_is_tried_again_in_order() {
    let mut world = World::new();
    world.answer = Answer::Throws;
    let (one, two) = (world.decide(a()), world.decide(optimizely("e2", "a")));
    world.after(250.0);
    world.answer = Answer::Returns;
    world.after(250.0);
    world.has_handed_over(&[one, two]).waits_for_nothing();
    assert_eq!(world.steps[0], "0: segment threw");
    assert!(
        world
            .sent
            .iter()
            .filter(|sent| sent.arrival == one)
            .all(|sent| sent.message_id == world.sent[0].message_id)
    );
}

#[test]
fn where_half_is_handed_over_and_then_it_throws_only_the_rest_is_told_again() {
    let mut world = World::without_segment();
    let all = [a(), optimizely("e2", "a"), optimizely("e3", "a")].map(|decision| world.decide(decision));
    // Long enough for a pause after the first.
    world.takes = 60.0;
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&all[..1]);
    world.answer = Answer::Throws;
    world.after(0.0);
    world.has_handed_over(&all[..1]);
    (world.answer, world.takes) = (Answer::Returns, 0.0);
    world.go_on();
    world.has_handed_over(&all).waits_for_nothing();
}

#[test]
fn after_three_throws_a_decision_waits_for_the_next_page() {
    let mut world = World::new();
    world.answer = Answer::Throws;
    let it = world.decide(a());
    world.wait(5000.0);
    assert_eq!((world.sent.len(), world.wake_in(), world.stored.len()), (3, None, 1));
    assert!(world.memory.is_empty(), "nothing was handed over");
    world.answer = Answer::Returns;
    world.go_on();
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn after_three_throws_the_page_may_ask_for_another_attempt() {
    let mut world = World::new();
    world.answer = Answer::Throws;
    let it = world.decide(a());
    world.wait(5000.0);
    world.answer = Answer::Returns;
    world.after(0.0);
    world.has_handed_over(&[]);
    world.outbox().flush();
    world.after(0.0);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn a_confirmation_before_track_returns_is_remembered_like_any_other() {
    let mut world = World::with(json!({"destinations": ["segment"]}));
    world.segment = READY;
    world.outbox().decided(1, a().told(), &[Mark::NONE; PLACES]);
    let mut remembered = false;
    while let Some(effect) = world.poll() {
        match effect {
            Effect::Look(it) => world.outbox().found(it, READY),
            Effect::Send(..) => {
                world.outbox().confirmed(1, SEGMENT);
                world.outbox().called(1, SEGMENT, Call::WillConfirm);
            }
            Effect::Remember(..) => remembered = true,
            _ => {}
        }
    }
    assert_eq!(world.pending(), 0);
    assert!(remembered);
}
