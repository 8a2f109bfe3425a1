//! The outbox: stories of decisions that are delivered, and that wait.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{READY_AND_SILENT, World};
use common::{a, b, control_group, of_unit};
use decision_bridge::gate::{Consent, Reason, Verdict};
use decision_bridge::key::Hash;
use decision_bridge::parcel::State;
use serde_json::json;

// Delivery

#[test]
fn a_decision_goes_to_a_destination_that_is_there_at_once() {
    let mut world = World::new();
    let it = world.decide(a());
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
    assert_eq!(world.steps, ["0: handed to segment", "0: segment took charge"]);
}

#[test]
fn the_same_again_is_a_duplicate_and_a_change_is_new() {
    let mut world = World::new();
    let all = [a(), a(), b(), b(), a(), control_group(a()), a()].map(|decision| world.decide(decision));
    world.has_handed_over(&[all[0], all[2], all[4], all[5], all[6]]);
    world.has_ended(all[1], Verdict::Duplicate).has_ended(all[3], Verdict::Duplicate);
    let ids: Vec<Hash> = world.sent.iter().map(|sent| sent.message_id).collect();
    assert!(ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id)), "{ids:?}");
}

#[test]
fn a_change_and_back_while_all_of_them_wait_is_three() {
    let mut world = World::without_segment();
    let all = [a(), b(), a(), a()].map(|decision| world.decide(decision));
    assert_eq!(world.pending(), 3);
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&all[..3]).has_ended(all[3], Verdict::Duplicate).waits_for_nothing();
}

#[test]
fn another_visitor_is_another_decision() {
    let mut world = World::new();
    let one = world.decide(of_unit(a(), "u1"));
    let other = world.decide(of_unit(a(), "u2"));
    world.has_handed_over(&[one, other]);
}

#[test]
fn without_a_scope_nothing_is_a_duplicate_and_each_has_a_key_of_its_own() {
    let mut world = World::with(json!({"dedupe": "none"}));
    let all = [a(), a(), a()].map(|decision| world.decide(decision));
    world.has_handed_over(&all).waits_for_nothing();
    assert!(world.memory.is_empty());
    assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
}

#[test]
fn where_each_page_is_a_scope_the_next_page_tells_it_again() {
    let mut world = World::with(json!({"dedupe": "page"}));
    let first = world.decide(a());
    let again = world.decide(a());
    world.go_on();
    let next = world.decide(a());
    world.has_handed_over(&[first, next]).has_ended(again, Verdict::Duplicate);
    assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
}

#[test]
fn what_an_earlier_page_left_is_no_duplicate_where_each_page_is_a_scope() {
    let mut world = World::with(json!({"dedupe": "page"}));
    world.segment = State::Missing;
    let first = world.decide(a());
    world.go_on();
    world.segment_is(READY_AND_SILENT);
    let next = world.decide(a());
    let again = world.decide(a());
    world.has_handed_over(&[first, next]).has_ended(again, Verdict::Duplicate).waits_for_nothing();
    assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
}

#[test]
fn what_an_ended_session_left_is_no_duplicate_in_the_next_one() {
    for delivered_first in [true, false] {
        let mut world = World::without_segment();
        let first = world.decide(a());
        world.facts.period = "s2".into();
        world.go_on();
        let deliver = |world: &mut World| world.segment_is(READY_AND_SILENT);
        if delivered_first {
            deliver(&mut world);
        }
        let next = world.decide(a());
        deliver(&mut world);
        world.has_handed_over(&[first, next]).waits_for_nothing();
        assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
    }
}

#[test]
fn without_a_scope_nothing_is_a_duplicate_where_consent_comes_late_either() {
    let mut world = World::with(json!({"dedupe": "none", "requireConsent": true}));
    world.consent_is(Consent::Unknown);
    let all = [a(), a()].map(|decision| world.decide(decision));
    world.consent_is(Consent::Granted);
    world.has_handed_over(&all).waits_for_nothing();
    assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
}

#[test]
fn without_a_destination_nothing_is_kept() {
    let mut world = World::with(json!({"destinations": []}));
    let it = world.decide(a());
    world.has_handed_over(&[]).has_ended(it, Verdict::Expired).waits_for_nothing();
}

// Waiting

#[test]
fn a_missing_destination_is_looked_for_and_the_decision_is_written_down_meanwhile() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    assert_eq!((world.wake_in(), world.stored.len()), (Some(250.0), 1));
    world.wait(1000.0);
    world.has_handed_over(&[]);
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]).waits_for_nothing();
    assert_eq!(world.steps[0], "0: segment is missing: waits");
}

#[test]
fn after_the_longest_wait_nobody_looks_any_more_but_a_late_signal_still_delivers() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.wait(60_000.0);
    assert_eq!((world.wake_in(), world.pending()), (None, 1));
    assert_eq!(
        world.steps.last().map(String::as_str),
        Some("0: the wait on this page is over: left for the next page")
    );
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).waits_for_nothing();
}

#[test]
fn time_asleep_is_no_time_waited() {
    let mut world = World::without_segment();
    world.decide(a());
    world.after(1_000_000.0);
    assert_eq!(world.wake_in(), Some(250.0), "a long sleep counts as two looks");
    world.wait(4000.0);
    assert_eq!(world.wake_in(), Some(250.0));
    world.wait(2000.0);
    assert_eq!(world.wake_in(), None);
}

#[test]
fn readiness_is_looked_at_before_the_wait_is_over() {
    let mut world = World::with(json!({"carryOverMs": 0, "maxWaitMs": 400}));
    world.segment = State::Missing;
    let it = world.decide(a());
    world.after(250.0);
    world.segment = READY_AND_SILENT;
    world.after(10_000.0);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered);
}

#[test]
fn a_decision_that_may_wait_on_this_page_only_expires_here() {
    let mut world = World::with(json!({"carryOverMs": 0, "maxWaitMs": 1000}));
    world.segment = State::Missing;
    let it = world.decide(a());
    assert!(world.stored.is_empty());
    world.wait(2000.0);
    world.has_ended(it, Verdict::Expired).waits_for_nothing();
    assert_eq!(world.ended[0].2, Reason::WaitedOut);
}

#[test]
fn a_decision_expires_when_it_waited_longer_than_it_may() {
    let mut world = World::with(json!({"carryOverMs": 60_000}));
    world.segment = State::Missing;
    let it = world.decide(a());
    world.after(60_000.0);
    assert_eq!(world.pending(), 1);
    world.after(1.0);
    world.has_ended(it, Verdict::Expired).waits_for_nothing();
    assert_eq!(world.ended[0].2, Reason::Overdue);
    world.segment_is(READY_AND_SILENT);
    let again = world.decide(a());
    world.has_handed_over(&[again]);
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.now.wall -= 3_600_000.0;
    world.wait(500.0);
    assert_eq!(world.wake_in(), Some(250.0));
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]);
}

#[test]
fn a_clock_that_is_set_forward_lets_nothing_expire_that_came_on_this_page() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.now.wall += 3_600_000.0;
    world.wait(500.0);
    assert_eq!(world.pending(), 1);
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]);
}

#[test]
fn looks_go_on_as_often_as_the_option_says() {
    let mut world = World::with(json!({"pollIntervalMs": 40, "maxWaitMs": 100}));
    world.segment = State::Missing;
    world.decide(a());
    assert_eq!(world.wake_in(), Some(40.0));
    world.wait(200.0);
    assert_eq!(world.wake_in(), None);
}
