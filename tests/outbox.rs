//! The outbox: stories of single decisions, and what holds whatever happens, against a naive model.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::collections::BTreeMap;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{AMPLITUDE, Decided, MIXPANEL, NAMES, SEGMENT, by_event, held_back, of_unit, optimizely, with};
use decision_bridge::gate::{Consent, Decision, Reason, Verdict};
use decision_bridge::key::Hash;
use decision_bridge::outbox::{Call, Effect, LIMIT};
use decision_bridge::parcel::{Destination, Mark, PLACES, State};
use proptest::prelude::*;
use serde_json::json;

fn a() -> Decided {
    optimizely("e1", "a")
}

fn b() -> Decided {
    optimizely("e1", "b")
}

/// The decision, of a personalization whose control group the visitor is in.
fn control_group(decision: Decided) -> Decided {
    with(held_back(decision), Decision::PERSONALIZATION)
}

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

// From page to page

#[test]
fn the_next_page_delivers_what_this_one_could_not() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.go_on();
    world.has_handed_over(&[]);
    world.segment_is(READY_AND_SILENT);
    let again = world.decide(a());
    world.has_handed_over(&[it]).has_ended(it, Verdict::Delivered).has_ended(again, Verdict::Duplicate);
    world.waits_for_nothing();
    assert!(world.steps.contains(&"0: taken over from an earlier page".to_owned()));
}

#[test]
fn what_waits_on_the_next_page_makes_the_same_there_a_duplicate() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.go_on();
    let again = world.decide(a());
    let changed = world.decide(b());
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it, changed]).has_ended(again, Verdict::Duplicate);
}

#[test]
fn what_nobody_confirmed_is_offered_again_under_the_same_key() {
    for waited_before in [false, true] {
        let mut world = World::new();
        world.answer = Answer::WillConfirm;
        world.segment = if waited_before { State::Missing } else { READY };
        let it = world.decide(a());
        world.segment_is(READY);
        world.has_handed_over(&[it]);
        assert_eq!((world.pending(), world.wake_in()), (1, None));
        world.go_on();
        world.has_handed_over(&[it, it]);
        assert_eq!(world.sent[0].message_id, world.sent[1].message_id);
        world.confirm_oldest();
        world.has_ended(it, Verdict::Delivered).waits_for_nothing();
        world.go_on();
        assert_eq!(world.sent.len(), 2);
    }
}

#[test]
fn what_is_too_old_is_not_taken_over_and_may_be_told_again() {
    let mut world = World::with(json!({"carryOverMs": 1000}));
    world.segment = State::Stub;
    let it = world.decide(a());
    world.now.wall += 2000.0;
    world.go_on();
    world.has_ended(it, Verdict::Expired).waits_for_nothing();
    world.segment = READY_AND_SILENT;
    let again = world.decide(a());
    world.has_ended(again, Verdict::Delivered);
}

#[test]
fn what_expires_on_the_way_takes_no_mark_back_but_its_own() {
    let mut world = World::with(json!({"carryOverMs": 1000}));
    let delivered = world.decide(a());
    world.segment = State::Missing;
    let waiting = world.decide(b());
    world.now.wall += 2000.0;
    world.go_on();
    world.has_ended(waiting, Verdict::Expired);
    world.segment = READY_AND_SILENT;
    let again = world.decide(a());
    world.has_handed_over(&[delivered]).has_ended(again, Verdict::Duplicate);
}

#[test]
fn what_was_handed_to_a_stub_and_expires_on_a_later_page_may_be_told_again() {
    let mut world = World::with(json!({"carryOverMs": 60_000}));
    world.segment = State::Stub;
    let lost = world.decide(a());
    world.segment = State::Missing;
    world.go_on();
    world.after(61_000.0);
    world.has_ended(lost, Verdict::Expired);
    world.segment_is(READY_AND_SILENT);
    let again = world.decide(a());
    world.has_ended(again, Verdict::Delivered);
}

#[test]
fn while_leaving_no_timer_is_wanted_and_after_the_return_the_wait_goes_on() {
    let mut world = World::without_segment();
    let it = world.decide(a());
    world.leave();
    assert_eq!(world.wake_in(), None);
    world.come_back();
    assert_eq!(world.wake_in(), Some(250.0));
    world.segment_is(READY_AND_SILENT);
    world.has_handed_over(&[it]);
}

#[test]
fn each_goodbye_releases_what_is_pending_once() {
    let mut world = World::without_segment();
    world.decide(a());
    for _ in 0..2 {
        world.outbox().hidden();
        let mut releases = 0;
        while let Some(effect) = world.poll() {
            match effect {
                Effect::Release => releases += 1,
                Effect::Look(it) => world.outbox().found(it, State::Missing),
                _ => {}
            }
        }
        assert_eq!(releases, 1);
    }
}

#[test]
fn another_tab_that_was_faster_makes_ours_a_duplicate() {
    let mut ours = World::without_segment();
    let it = ours.decide(a());
    let mut theirs = World::new();
    theirs.decide(a());
    ours.memory = theirs.memory.clone();
    ours.segment_is(READY_AND_SILENT);
    ours.has_handed_over(&[]).has_ended(it, Verdict::Duplicate).waits_for_nothing();
    assert_eq!(ours.ended[0].2, Reason::OtherTab);
}

#[test]
fn what_another_tab_delivered_is_not_offered_again_by_the_page_that_takes_ours_over() {
    let mut ours = World::without_segment();
    let it = ours.decide(a());
    let mut theirs = World::new();
    theirs.decide(a());
    ours.memory = theirs.memory.clone();
    ours.segment = READY_AND_SILENT;
    ours.go_on();
    ours.has_handed_over(&[]).has_ended(it, Verdict::Duplicate).waits_for_nothing();
}

#[test]
fn a_change_that_overtook_a_decision_does_not_make_it_a_duplicate() {
    let mut world = World::new();
    world.answer = Answer::Throws;
    let one = world.decide(a());
    world.wait(5000.0);
    world.answer = Answer::Returns;
    let other = world.decide(b());
    world.after(0.0);
    world.has_handed_over(&[other]);
    world.go_on();
    world.has_handed_over(&[other, one]).has_ended(one, Verdict::Delivered).waits_for_nothing();
}

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
    let mut world = naming(&[SEGMENT]);
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

// Limits

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

// Whatever happens

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

/// A page that names these destinations.
fn naming(destinations: &[Destination]) -> World {
    let names: Vec<_> = destinations.iter().map(|it| NAMES[*it as usize]).collect();
    World::with(json!({"destinations": names}))
}

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
                let decision = optimizely(&format!("e{key}"), &format!("v{variation}"));
                let decision = if held { held_back(decision) } else { decision };
                // What two pages hand over at a time, under one key, nobody can say beforehand.
                if copied {
                    continue;
                }
                let expected = naive.judge(&decision, world.came);
                let arrival = world.decide(decision);
                let came = world.ends_of(arrival).first().copied();
                match expected {
                    None => assert!([None, Some(Verdict::Delivered)].contains(&came), "{arrival}: {came:?}"),
                    expected => assert_eq!(came, expected, "{arrival}"),
                }
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
        world.consent_is(Consent::Granted);
    }
    (world.answer, world.takes) = (Answer::Returns, 0.0);
    world.failing.clear();
    for destination in destinations {
        world.is(*destination, READY_AND_SILENT);
    }
    world.go_on();
    world.wait(20_000.0);
    holds(&world, copied);
    world.waits_for_nothing();
    for destination in destinations {
        let delivered = world.handed_to(*destination);
        for (.., arrival) in &naive.taken {
            let steps = &world.steps;
            assert!(delivered.contains(arrival), "{arrival} never arrived at {destination:?}: {steps:#?}");
        }
    }
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
        play(&story, false, naming(&THREE), &THREE);
    }

    #[test]
    fn whatever_happens_nothing_leaves_without_consent(
        story in proptest::collection::vec(happens(), 0..60),
        several in any::<bool>(),
    ) {
        let destinations = if several { &THREE[..] } else { &THREE[..1] };
        let world = if several { naming(&THREE) } else { World::new() };
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
        let mut alone = naming(&THREE[..2]);
        let mut beside = naming(&THREE);
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
