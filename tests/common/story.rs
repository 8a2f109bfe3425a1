//! One story told through the door, for the native tests and for a real browser.

use decision_bridge::js::*;

/// The hash of a text, which goes to a register.
pub fn hashed(register: u32, text: &str) -> [u32; 4] {
    text.encode_utf16().for_each(|unit| letter(unit.into()));
    keep(register);
    made()
}

/// The hash that was made last.
pub fn made() -> [u32; 4] {
    [word(0), word(1), word(2), word(3)]
}

/// What there is to do: kind, item, destination, argument.
pub fn next() -> Option<(u32, u32, u32, u32)> {
    let code = poll();
    assert!((0.0..9e15).contains(&code) && code.fract() == 0.0, "{code}");
    let code = code as u64;
    let part = |unit: u64, of: u64| (code / unit % of) as u32;
    (code != 0).then(|| (part(1, 16), part(8_388_608, 1 << 30), part(16, 8), part(128, 65_536)))
}

/// All there is to do, one after the other, up to what has to be answered before there is more.
pub fn all() -> Vec<(u32, u32, u32, u32)> {
    let mut all = Vec::new();
    while let Some(effect) = next() {
        all.push(effect);
        if effect.0 == SEND {
            break;
        }
    }
    all
}

pub const STORE: u32 = 1;
pub const ERASE: u32 = 2;
pub const LOOK: u32 = 3;
pub const RECALL: u32 = 4;
pub const SEND: u32 = 5;
pub const REMEMBER: u32 = 6;
pub const TRACE: u32 = 10;
pub const ENDED: u32 = 11;

/// A fresh outbox for one destination, with the options as they are by default, and consent.
pub fn start() {
    renew();
    now(1e12, 5.0);
    init(250.0, 5000.0, 1_800_000.0, 1 << 2, 1);
    hashed(2, "session");
    hashed(3, "visitor");
    facts(0);
}

/// A text has the hash that it has everywhere.
pub fn hashes() {
    start();
    assert_eq!(hashed(9, ""), [0x6c62_272e, 0x07bb_0142, 0x62b8_2175, 0x6295_c58d]);
    // Bytes 66 00 fc 00 3d d8 00 de.
    assert_eq!(hashed(0, "fü😀"), [0x41f3_81e9, 0x5a65_9b49, 0xdadb_b199, 0x52d4_8ce8]);
}

/// A decision is held, looked for, handed over and confirmed.
pub fn a_decision_takes_its_way() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    decided(7, 0);
    assert_eq!((pending(), waits(7), open(7, 0)), (1, true, 2));
    assert_eq!(next(), Some((STORE, 7, 0, 0)));
    assert_eq!(next(), Some((LOOK, 0, 0, 0)));
    found(0, 0);
    assert_eq!(next(), Some((TRACE, 7, 0, 4)), "the destination is missing");
    assert_eq!((next(), wake_in()), (None, 250.0));
    now(1e12 + 250.0, 255.0);
    tick();
    assert_eq!(next(), Some((LOOK, 0, 0, 0)));
    found(0, 3);
    assert_eq!(next(), Some((RECALL, 7, 0, 0)), "another tab may have been faster");
    recalled(7, 0);
    assert_eq!(next(), Some((SEND, 7, 0, 0)));
    message_id(7, 0);
    let id = made();
    assert_ne!(id, [0; 4]);
    called(7, 0, 1);
    assert_eq!(all(), [(TRACE, 7, 0, 6), (STORE, 7, 0, 0), (REMEMBER, 7, 0, 1)]);
    assert_eq!((open(7, 0), waits(7), wake_in()), (3, false, -1.0));
    message_id(7, 0);
    assert_eq!(made(), id);
    confirmed(7, 0);
    assert_eq!(all(), [(TRACE, 7, 0, 7), (ERASE, 7, 0, 0), (ENDED, 7, 0, 16 * 9)]);
    assert_eq!((pending(), open(7, 0), poll()), (0, -1, 0.0));
    remembered(0, 1, true);
    decided(8, 0);
    assert_eq!(all(), [(ENDED, 8, 0, 1 + 16 * 5)], "the same again is a duplicate");
}

/// All that may wait does, and goes out in the order in which it came.
pub fn a_thousand_decisions_wait_and_all_of_them_go_out_in_order() {
    start();
    for id in 1..=1001 {
        hashed(0, &id.to_string());
        decided(id, 0);
        while let Some((kind, ..)) = next() {
            if kind == LOOK {
                found(0, 0);
            }
        }
    }
    assert_eq!(pending(), 1000);
    let mut sent = Vec::new();
    found(0, 2);
    while let Some((kind, id, destination, _)) = next() {
        if kind == SEND {
            sent.push(id);
            called(id, destination, 0);
        }
    }
    assert_eq!(sent, (1..=1000).collect::<Vec<u32>>());
    assert_eq!((pending(), wake_in()), (0, -1.0));
}
