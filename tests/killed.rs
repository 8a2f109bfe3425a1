//! A page that is killed in the middle of its work says no goodbye: what stands written at that moment is
//! all that the next one knows.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{Answer, READY, READY_AND_SILENT, World};
use common::{Decided, optimizely};
use decision_bridge::gate::{Consent, Verdict};
use decision_bridge::outbox::Effect;

fn three() -> [Decided; 3] {
    ["1", "2", "3"].map(|experiment| optimizely(experiment, "a"))
}

fn is_send(effect: Effect) -> bool {
    matches!(effect, Effect::Send(..))
}

/// Killed while the first of them is told: the tool may never return.
fn is_killed_while_it_tells(mut world: World, all: [usize; 3]) {
    world.segment = READY_AND_SILENT;
    world.run_up_to(is_send);
    world.is_killed();
    world.has_handed_over(&all).waits_for_nothing();
}

#[test]
fn what_came_before_the_core_was_there_is_written_down_before_the_first_of_it_is_told() {
    let mut world = World::new();
    let all = three().map(|decided| world.tell(decided));
    is_killed_while_it_tells(world, all);
}

#[test]
fn what_consent_releases_is_written_down_before_the_first_of_it_is_told() {
    let mut world = World::new();
    world.consent_is(Consent::Unknown);
    let all = three().map(|decided| world.decide(decided));
    world.is_told_of_consent(Consent::Granted);
    world.outbox().tick();
    is_killed_while_it_tells(world, all);
}

#[test]
fn what_earlier_pages_left_is_written_down_again_before_the_first_of_it_is_told() {
    let mut world = World::without_segment();
    let all = three().map(|decided| world.decide(decided));
    world.leave();
    world.begin_next();
    is_killed_while_it_tells(world, all);
}

#[test]
fn what_returned_is_no_duplicate_on_the_next_page_wherever_the_work_broke_off() {
    let mut world = World::new();
    world.segment = READY_AND_SILENT;
    let it = world.tell(optimizely("1", "a"));
    world.run_up_to(|effect| matches!(effect, Effect::Erase(..)));
    world.is_killed();
    world.has_handed_over(&[it]).has_ended(it, Verdict::Duplicate).waits_for_nothing();
}

/// Two tabs that open at the same time both name the visitor, and one of them learns the other's name.
#[test]
fn what_was_written_down_before_the_visitor_was_named_anew_goes_on_under_the_key_it_went_under() {
    let mut world = World::new();
    (world.segment, world.answer) = (READY, Answer::WillConfirm);
    let it = world.tell(optimizely("1", "a"));
    world.run_up_to(is_send);
    world.facts.visitor = "other".to_owned();
    world.after(0.0);
    world.tell(optimizely("2", "a"));
    world.run();
    world.go_on();
    let keys: Vec<_> =
        world.sent.iter().filter(|sent| sent.arrival == it).map(|sent| sent.message_id).collect();
    assert!(keys.len() > 1 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}
