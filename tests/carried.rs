//! What the outbox carries from page to page, and what other tabs do meanwhile.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{a, b};
use decision_bridge::gate::{Reason, Verdict};
use decision_bridge::outbox::Effect;
use decision_bridge::parcel::State;
use serde_json::json;

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
