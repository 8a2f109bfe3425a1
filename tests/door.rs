//! The door: the functions that JavaScript calls, with numbers in and numbers out.

#![cfg(not(target_arch = "wasm32"))]

#[path = "common/story.rs"]
mod story;

use decision_bridge::js::*;
use story::{all, hashed, made, next, start};

#[test]
fn a_text_has_the_hash_that_it_has_everywhere() {
    story::hashes();
}

#[test]
fn a_decision_takes_its_way_in_numbers() {
    story::a_decision_takes_its_way();
}

#[test]
fn a_thousand_decisions_wait_and_all_of_them_go_out_in_order() {
    story::a_thousand_decisions_wait_and_all_of_them_go_out_in_order();
}

#[test]
fn an_item_that_an_earlier_page_left_is_taken_over() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    parcel(0, 3, true);
    parcel(1, 1, false);
    carried(1, 1 << 10, 1e12 - 1000.0);
    assert_eq!(next(), Some((10, 1, 0, 3)), "resumed");
    assert_eq!((open(1, 0), open(1, 1)), (7, -1), "nobody serves the other destination");
    found(0, 2);
    let done: Vec<u32> = all().iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(done, [1, 3, 5], "it is offered again without being compared");
    // What was said of one item is not said of the next.
    carried(2, 0, 1e12);
    assert_eq!(next(), Some((11, 2, 0, 8 + 16 * 2)));
}

#[test]
fn an_item_of_another_period_says_nothing_about_the_running_one() {
    for (flags, is_duplicate) in [(0, false), (1 << 10, true)] {
        start();
        hashed(0, "experiment");
        hashed(1, "variation");
        parcel(0, 1, false);
        carried(1, flags, 1e12);
        decided(2, 0);
        assert_eq!(all().contains(&(11, 2, 0, 1 + 16 * 5)), is_duplicate);
    }
}

#[test]
fn what_is_remembered_is_said_of_one_decision_alone() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    remembered(0, 70_000, true);
    decided(1, 0);
    assert_eq!(all(), [(11, 1, 0, 1 + 16 * 5)]);
    remembered(0, 4, false);
    decided(2, 0);
    assert_eq!(open(2, 0), 10, "a change is the next occurrence");
    decided(3, 0);
    assert_eq!(open(3, 0), -1, "it waits already");
    hashed(0, "other experiment");
    decided(4, 0);
    assert_eq!(open(4, 0), 2);
    remembered(0, u32::MAX, false);
    hashed(0, "third experiment");
    decided(5, 0);
    assert_eq!(open(5, 0), 2 * 65_535, "occurrences are counted as far as there is room for them");
}

#[test]
fn a_redirect_holds_a_decision_from_the_next_facts_on() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    decided(1, 1 << 8);
    all();
    found(0, 2);
    leaving(1, true);
    facts(0);
    tick();
    assert!(!all().iter().any(|(kind, ..)| *kind == 5), "it is told on the landing page");
    leaving(1, false);
    facts(0);
    assert!(all().iter().any(|(kind, ..)| [4, 5].contains(kind)));
}

#[test]
fn numbers_that_mean_nothing_are_ignored() {
    for number in [7, 8, 31, 32, 63, 64, 1000, u32::MAX] {
        start();
        hashed(0, "experiment");
        hashed(1, "variation");
        let hash = hashed(number, "text");
        assert_eq!(made(), hash);
        remembered(number, 1, true);
        parcel(number, 1, true);
        found(number, 2);
        found(0, number);
        facts(number);
        recalled(number, number);
        called(number, number, number);
        confirmed(number, number);
        leaving(number, true);
        message_id(number, number);
        assert_eq!((open(number, number), open(number, 0), waits(number)), (-1, -1, false));
        now(f64::NAN, f64::NAN);
        tick();
        decided(1, 0);
        assert_eq!(pending(), 1, "{number}");
        assert_eq!(all().len(), 2, "it is stored and its destination is looked for");
        called(1, number, 0);
        confirmed(1, number);
        recalled(1, number);
        assert_eq!((pending(), open(1, number)), (1, -1));
    }
}

#[test]
fn numbers_that_are_none_are_survived_wherever_they_come_in() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e308] {
        start();
        init(number, number, number, u32::MAX, u32::MAX);
        hashed(0, "experiment");
        decided(1, 1 << 8);
        parcel(0, 1, false);
        carried(2, 0, number);
        for _ in 0..3 {
            now(number, number);
            tick();
            let mut turns = 0;
            while let Some((kind, id, destination, _)) = next() {
                turns += 1;
                assert!(turns < 1000, "there is no end to it");
                match kind {
                    3 => found(destination, destination % 5),
                    4 => recalled(id, destination),
                    5 => called(id, destination, destination % 3),
                    _ => {}
                }
            }
            wake_in();
        }
    }
}
