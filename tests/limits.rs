//! Limits: how many decisions wait, how long handing over keeps the page busy, what is asked for nothing.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{SEGMENT, a, b, optimizely};
use decision_bridge::gate::{Reason, Verdict};
use decision_bridge::outbox::{Call, LIMIT};
use decision_bridge::parcel::{Mark, PLACES, State};
use serde_json::json;

#[test]
fn a_thousand_decisions_wait_at_most_and_the_oldest_stay() {
    let mut world = World::without_segment();
    for number in 0..LIMIT + 5 {
        world.decide(optimizely(&format!("e{number}"), "a"));
    }
    assert_eq!((world.pending(), world.stored.len()), (LIMIT, LIMIT));
    let overflow: Vec<_> = world.ended.iter().map(|(_, verdict, why)| (*verdict, *why)).collect();
    assert_eq!(overflow, [(Verdict::Expired, Reason::Full); 5]);
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&(0..LIMIT).collect::<Vec<_>>()).waits_for_nothing();
}

#[test]
fn what_was_handed_over_makes_room_even_when_nobody_confirms() {
    let mut world = World::new();
    world.segment = READY;
    world.answer = Answer::WillConfirm;
    for number in 0..3 * LIMIT {
        world.decide(optimizely(&format!("e{number}"), "a"));
    }
    assert_eq!(world.handed_over().len(), 3 * LIMIT);
    assert!(world.pending() <= LIMIT + 1);
}

#[test]
fn handing_over_pauses_before_it_makes_a_long_task() {
    let mut world = World::without_segment();
    for number in 0..30 {
        world.decide(optimizely(&format!("e{number}"), "a"));
    }
    world.takes = 5.0;
    world.segment_is(READY_AND_SILENT);
    assert_eq!((world.sent.len(), world.wake_in()), (5, Some(0.0)));
    world.after(1.0);
    assert_eq!(world.sent.len(), 10);
    world.wait(1000.0);
    world.has_handed_over(&(0..30).collect::<Vec<_>>()).waits_for_nothing();
}

#[test]
fn a_page_that_is_left_does_not_pause() {
    let mut world = World::without_segment();
    for number in 0..30 {
        world.decide(optimizely(&format!("e{number}"), "a"));
    }
    world.takes = 5.0;
    world.segment = READY_AND_SILENT;
    world.leave();
    assert_eq!(world.sent.len(), 30);
}

#[test]
fn what_waits_does_not_hide_what_was_delivered_after_it() {
    let mut world = World::new();
    (world.segment, world.answer) = (READY, Answer::WillConfirm);
    let unconfirmed = world.decide(a());
    world.answer = Answer::Returns;
    let delivered = world.decide(b());
    let again = world.decide(b());
    world.has_handed_over(&[unconfirmed, delivered]).has_ended(again, Verdict::Duplicate);
}

#[test]
fn what_is_offered_again_does_not_set_the_memory_back() {
    let mut world = World::new();
    (world.segment, world.answer) = (READY, Answer::WillConfirm);
    let unconfirmed = world.decide(a());
    world.answer = Answer::Returns;
    let delivered = world.decide(b());
    world.go_on();
    let again = world.decide(b());
    world.has_handed_over(&[unconfirmed, delivered, unconfirmed]).has_ended(again, Verdict::Duplicate);
}

#[test]
fn a_slow_call_that_delivered_the_last_decision_leaves_no_timer() {
    let mut world = World::new();
    world.takes = 30.0;
    let it = world.decide(a());
    world.has_handed_over(&[it]).waits_for_nothing();
}

#[test]
fn a_pause_does_not_let_the_rest_expire() {
    let mut world = World::with(json!({"maxWaitMs": 1000, "carryOverMs": 0}));
    world.segment = State::Missing;
    for number in 0..30 {
        world.decide(optimizely(&format!("e{number}"), "a"));
    }
    world.wait(999.0);
    world.takes = 5.0;
    world.segment = READY_AND_SILENT;
    world.after(250.0);
    world.wait(1000.0);
    assert_eq!(world.sent.len(), 30);
}

#[test]
fn the_cost_of_a_decision_does_not_grow_with_how_many_were_seen() {
    let mut world = World::new();
    let mut costs = Vec::new();
    // More than there would be room for, if they stayed.
    for number in 0..3 * LIMIT {
        world.work = 0;
        world.decide(optimizely(&format!("e{number}"), "a"));
        costs.push(world.work);
    }
    assert_eq!(costs.iter().min(), costs.iter().max(), "each decision is as much work as the first");
    assert_eq!(world.pending(), 0);
}

#[test]
fn answers_to_questions_nobody_asks_any_more_are_survived() {
    let mut world = World::new();
    world.decide(b());
    for id in [0, 1, 7] {
        world.outbox().confirmed(id, SEGMENT);
        world.outbox().called(id, SEGMENT, Call::Returned);
        world.outbox().recalled(id, SEGMENT, &[Mark::NONE; PLACES]);
    }
    let it = world.decide(a());
    world.outbox().confirmed(2, SEGMENT);
    world.outbox().called(2, SEGMENT, Call::Threw);
    world.run();
    world.has_handed_over(&[0, it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}
