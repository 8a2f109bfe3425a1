//! What the outbox holds: for a redirect, and for consent.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{SEGMENT, a, b, by_event, optimizely, with};
use decision_bridge::gate::{Consent, Decision, Verdict};
use decision_bridge::parcel::State;
use serde_json::json;

// Redirects

#[test]
fn a_decision_that_may_redirect_waits_for_the_next_round() {
    let mut world = World::new();
    let it = world.decide(by_event(a()));
    world.has_handed_over(&[]);
    assert_eq!(world.wake_in(), Some(0.0));
    world.after(0.0);
    world.has_handed_over(&[it]).waits_for_nothing();
}

#[test]
fn a_decision_that_redirects_is_told_on_the_landing_page() {
    let mut world = World::new();
    let it = world.decide(by_event(a()));
    world.facts.redirect = "e1".into();
    world.learn();
    world.wait(10_000.0);
    world.has_handed_over(&[]);
    world.go_on();
    world.has_handed_over(&[it]);
    assert!(world.steps.contains(&"0: taken over from an earlier page".to_owned()));
}

#[test]
fn a_page_that_is_left_hands_over_at_once_what_does_not_redirect() {
    let mut world = World::new();
    let it = world.decide(by_event(a()));
    world.leave();
    world.has_handed_over(&[it]).waits_for_nothing();
}

#[test]
fn a_decision_that_may_redirect_does_not_expire_before_its_first_chance() {
    let mut world = World::with(json!({"maxWaitMs": 0, "carryOverMs": 0}));
    let it = world.decide(by_event(a()));
    world.after(0.0);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered);
}

#[test]
fn a_redirect_that_is_in_flight_when_the_decision_comes_holds_it_and_one_that_was_called_off_does_not() {
    let mut world = World::new();
    let it = world.decide(with(by_event(a()), Decision::LEAVING));
    assert_eq!(world.steps, ["0: held: told on the landing page of its redirect"]);
    world.wait(1000.0);
    world.has_handed_over(&[]);
    world.learn();
    world.after(0.0);
    world.has_handed_over(&[it]).waits_for_nothing();
}

#[test]
fn it_can_be_asked_whether_a_decision_waits_to_be_handed_over() {
    let waits = |world: &World| world.outbox.item(1).is_some_and(|item| item.waiting() != 0);
    let mut world = World::naming(&[SEGMENT]);
    world.segment = State::Missing;
    world.decide(a());
    assert!(waits(&world));
    world.answer = Answer::WillConfirm;
    world.segment_is(READY);
    assert!(!waits(&world), "it waits for a confirmation alone");
}

// Consent

#[test]
fn before_consent_nothing_is_stored_and_afterwards_all_goes_out_in_order() {
    let mut world = World::new();
    world.consent_is(Consent::Unknown);
    let all = [a(), b(), optimizely("e2", "a")].map(|decision| world.decide(decision));
    world.wait(60_000.0);
    world.has_handed_over(&[]);
    assert_eq!((world.wake_in(), world.stored.len(), world.memory.len()), (None, 0, 0));
    world.consent_is(Consent::Granted);
    world.has_handed_over(&all).waits_for_nothing();
    assert_eq!(world.trespasses, [""; 0]);
    assert_eq!(world.steps[0], "0: held: waits for consent");
}

#[test]
fn refusal_forgets_everything_and_a_later_agreement_counts_from_then_on() {
    let mut world = World::new();
    world.decide(optimizely("e2", "a"));
    world.segment = State::Missing;
    let waiting = world.decide(a());
    world.consent_is(Consent::Denied);
    world.has_ended(waiting, Verdict::NoConsent).waits_for_nothing();
    assert!(world.memory.is_empty());
    world.segment = READY_AND_SILENT;
    let refused = world.decide(b());
    world.has_ended(refused, Verdict::NoConsent);
    world.consent_is(Consent::Granted);
    let later = world.decide(a());
    world.has_handed_over(&[0, later]);
    assert_eq!(world.trespasses, [""; 0]);
}

#[test]
fn waiting_for_consent_is_not_waiting_for_a_destination() {
    let mut world = World::without_segment();
    world.consent_is(Consent::Unknown);
    world.decide(a());
    world.wait(60_000.0);
    world.consent_is(Consent::Granted);
    assert_eq!(world.wake_in(), Some(250.0));
}

#[test]
fn what_waits_for_consent_does_not_expire_however_long_the_visitor_thinks() {
    let mut world = World::with(json!({"carryOverMs": 0, "maxWaitMs": 500}));
    world.consent_is(Consent::Unknown);
    let it = world.decide(a());
    for _ in 0..10 {
        world.after(250.0);
    }
    assert_eq!((world.pending(), world.steps.len()), (1, 1), "{:?}", world.steps);
    world.consent_is(Consent::Granted);
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered);
}

#[test]
fn the_key_of_a_held_decision_is_that_of_the_visitor_who_is_known_after_consent() {
    let mut world = World::new();
    world.facts.visitor = "nobody".into();
    world.consent_is(Consent::Unknown);
    world.decide(a());
    world.facts.visitor = "known".into();
    world.consent_is(Consent::Granted);
    let mut asking_nobody = World::new();
    asking_nobody.facts.visitor = "known".into();
    asking_nobody.decide(a());
    assert_eq!(world.sent[0].message_id, asking_nobody.sent[0].message_id);
}

#[test]
fn what_was_held_for_consent_is_a_duplicate_when_an_earlier_page_handed_it_over() {
    let mut world = World::new();
    world.decide(a());
    world.go_on_with(Consent::Unknown);
    let again = world.decide(a());
    world.consent_is(Consent::Granted);
    world.has_handed_over(&[0]).has_ended(again, Verdict::Duplicate);
}

#[test]
fn what_was_held_for_consent_is_new_when_an_earlier_page_handed_another_variation_over() {
    let mut world = World::new();
    let first = world.decide(a());
    world.go_on_with(Consent::Unknown);
    let changed = world.decide(b());
    world.consent_is(Consent::Granted);
    world.has_handed_over(&[first, changed]).has_ended(changed, Verdict::Delivered);
    assert_ne!(world.sent[0].message_id, world.sent[1].message_id);
}

#[test]
fn what_was_held_for_consent_is_a_duplicate_of_what_an_earlier_page_left() {
    let mut world = World::without_segment();
    let left = world.decide(a());
    world.go_on_with(Consent::Unknown);
    let (again, changed) = (world.decide(a()), world.decide(b()));
    world.segment = READY_AND_SILENT;
    world.consent_is(Consent::Granted);
    world.has_handed_over(&[left, changed]).has_ended(again, Verdict::Duplicate).waits_for_nothing();
}

#[test]
fn what_was_held_for_consent_is_compared_with_the_latest_and_not_with_what_waits() {
    let mut world = World::new();
    (world.segment, world.answer) = (READY, Answer::WillConfirm);
    let unconfirmed = world.decide(a());
    world.answer = Answer::Returns;
    let delivered = world.decide(b());
    world.go_on_with(Consent::Unknown);
    let back = world.decide(a());
    world.consent_is(Consent::Granted);
    assert!(world.handed_over().ends_with(&[back]), "{:?}", world.handed_over());
    world.has_ended(delivered, Verdict::Delivered).has_ended(back, Verdict::Delivered);
    assert_eq!(world.ends_of(unconfirmed), [Verdict::Delivered]);
}

#[test]
fn what_an_earlier_page_left_stays_in_front_of_what_was_held_on_the_page_after_it_too() {
    let mut world = World::without_segment();
    let left = world.decide(a());
    world.go_on_with(Consent::Unknown);
    let held = world.decide(optimizely("e2", "a"));
    world.consent_is(Consent::Granted);
    world.go_on();
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[left, held]);
}

#[test]
fn a_change_back_is_told_though_all_of_it_waited_on_pages_that_ask_for_consent() {
    let mut world = World::without_segment();
    let first = world.decide(a());
    world.go_on_with(Consent::Unknown);
    let changed = world.decide(b());
    world.consent_is(Consent::Granted);
    world.go_on();
    let back = world.decide(a());
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[first, changed, back]).waits_for_nothing();
}
