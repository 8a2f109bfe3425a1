//! The door: the functions that JavaScript calls, with numbers in and numbers out.

#![cfg(not(target_arch = "wasm32"))]

use decision_bridge::js::*;

/// The hash of a text, as its first word.
fn hashed(register: u32, text: &str) -> u32 {
    text.encode_utf16().for_each(|unit| letter(unit.into()));
    keep(register);
    word(0)
}

/// An effect in its parts: kind, id, destination, argument.
fn next() -> Option<(u32, u32, u32, u32)> {
    let code = poll();
    let rest = (code / 16.0).floor();
    let id = (rest / 524_288.0).floor();
    let rest = rest as u64 % 524_288;
    (code != 0.0).then_some(((code % 16.0) as u32, id as u32, (rest % 8) as u32, (rest / 8) as u32))
}

fn all() -> Vec<(u32, u32, u32, u32)> {
    std::iter::from_fn(next).collect()
}

#[test]
fn a_decision_takes_its_way_in_numbers() {
    now(1e12, 5.0);
    init(250.0, 5000.0, 1_800_000.0, 4, 1);
    hashed(2, "session");
    hashed(3, "visitor");
    facts(0);
    hashed(0, "experiment");
    hashed(1, "variation");
    decided(7, 0);
    assert_eq!(pending(), 1);
    assert!(waits(7));
    assert_eq!(next(), Some((1, 7, 0, 0)), "store");
    assert_eq!(next(), Some((3, 0, 0, 0)), "look");
    found(0, 3);
    assert_eq!(next(), Some((5, 7, 0, 0)), "send");
    assert_eq!(open(7, 0), 2);
    message_id(7, 0);
    assert_ne!(word(3), 0);
    called(7, 0, 1);
    assert_eq!(all(), [(10, 7, 0, 6), (1, 7, 0, 0), (6, 7, 0, 1)], "handed to the tool, store, remember");
    assert_eq!((open(7, 0), waits(7), wake_in()), (3, false, -1.0));
    confirmed(7, 0);
    assert_eq!(all(), [(10, 7, 0, 7), (2, 7, 0, 0), (11, 7, 0, 144)], "confirmed, erase, ended");
    assert_eq!((pending(), open(7, 0), poll()), (0, -1, 0.0));
}
