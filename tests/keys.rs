//! Keys: what is the same has the same key, and nothing else has.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::world::{World, outbox};
use common::{AMPLITUDE, Decided, SEGMENT, hash, held_back, of_unit, optimizely};
use decision_bridge::gate::Options;
use decision_bridge::key::Hash;
use decision_bridge::outbox::Outbox;
use decision_bridge::parcel::{Mark, Memory, PLACES};
use proptest::prelude::*;

/// What the idempotency key of one decision hangs on.
#[derive(Clone)]
struct Told {
    decided: Decided,
    id: u32,
    who: &'static str,
    period: &'static str,
    /// What was handed over before.
    before: Option<u16>,
    flags: u32,
}

fn told() -> Told {
    Told { decided: optimizely("e1", "v1"), id: 1, who: "visitor", period: "session", before: None, flags: 0 }
}

impl Told {
    fn outbox(&self) -> Box<Outbox> {
        let mut outbox = outbox();
        let World { options, .. } = World::new();
        outbox.init(Options { flags: options.flags | self.flags, ..options }, 3);
        outbox.facts(Default::default(), hash(&[self.period]));
        let mark = self.before.map_or(Mark::NONE, |occurrence| Mark::new(occurrence, false));
        let memory: Memory = [mark; PLACES];
        outbox.decided(self.id, self.decided.told(), &memory);
        outbox
    }

    fn message_id(&self) -> Hash {
        self.outbox().message_id(self.id, SEGMENT, &hash(&[self.who]))
    }
}

fn hex(hash: Hash) -> String {
    (0..4).map(|index| format!("{:08x}", hash.word(index))).collect()
}

#[test]
fn a_text_is_hashed_as_the_units_of_utf_16() {
    // FNV-1a with 128 bits over 66 00 fc 00 3d d8 00 de, by an implementation that is not ours.
    let mut hash = Hash::new();
    "fü😀".encode_utf16().for_each(|unit| hash.unit(unit.into()));
    assert_eq!(hex(hash), fnv(&[0x66, 0x00, 0xfc, 0x00, 0x3d, 0xd8, 0x00, 0xde]));
    let mut low = Hash::new();
    low.unit(0xffff_0066);
    let mut same = Hash::new();
    same.unit(0x66);
    assert_eq!(low, same, "a unit has 16 bits");
}

/// FNV-1a the way the textbook has it.
fn fnv(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    format!("{hash:032x}")
}

#[test]
fn a_message_id_is_the_same_when_the_same_is_told_again() {
    let mut later = told().outbox();
    later.now(1e12, 1e6);
    let again = Told { id: 99, ..told() };
    assert_eq!(later.message_id(1, SEGMENT, &hash(&["visitor"])), told().message_id());
    assert_eq!(again.message_id(), told().message_id(), "the number of a decision is that of its page");
}

#[test]
fn a_message_id_is_that_of_the_decision_wherever_it_goes() {
    let outbox = told().outbox();
    let who = hash(&["visitor"]);
    assert_eq!(outbox.message_id(1, SEGMENT, &who), outbox.message_id(1, AMPLITUDE, &who));
}

#[test]
fn a_message_id_differs_by_everything_that_makes_another_event() {
    let of = |decided: Decided| Told { decided, ..told() };
    let all = [
        told().message_id(),
        of(optimizely("e2", "v1")).message_id(),
        of(optimizely("e1", "v2")).message_id(),
        of(Decided { campaign: "c2".into(), ..optimizely("e1", "v1") }).message_id(),
        of(of_unit(optimizely("e1", "v1"), "u1")).message_id(),
        of(held_back(common::with(optimizely("e1", "v1"), decision_bridge::gate::Decision::PERSONALIZATION)))
            .message_id(),
        Told { who: "other visitor", ..told() }.message_id(),
        Told { before: Some(1), ..told() }.message_id(),
        Told { before: Some(u16::MAX), ..told() }.message_id(),
        Told { period: "other session", ..told() }.message_id(),
        Told { flags: Options::REPEATS, ..told() }.message_id(),
        Told { flags: Options::REPEATS, id: 2, ..told() }.message_id(),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[..at].contains(one), "number {at} is the same as an earlier one");
    }
}

#[test]
fn the_dedupe_key_names_campaign_experiment_and_unit_and_leaves_the_rest_to_the_outcome() {
    let base = optimizely("e1", "v1");
    for same in [optimizely("e1", "v2"), held_back(base.clone())] {
        assert_eq!(same.key(), base.key());
        assert_ne!(same.outcome(), base.outcome());
    }
    for other in [
        optimizely("e2", "v1"),
        Decided { campaign: "c2".into(), ..base.clone() },
        of_unit(base.clone(), "u1"),
    ] {
        assert_ne!(other.key(), base.key());
        assert_eq!(other.outcome(), base.outcome());
    }
}

/// Texts made of what separators are made of.
fn tricky() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a:/|.,\\[\\]\"\u{1f}\u{0} ]{0,4}",
        any::<String>(),
        Just("__proto__".to_owned()),
        Just("constructor".to_owned())
    ]
}

proptest! {
    #[test]
    fn fields_that_differ_hash_differently_wherever_they_are_divided(
        one in proptest::collection::vec(tricky(), 0..5),
        other in proptest::collection::vec(tricky(), 0..5),
    ) {
        prop_assert_eq!(hash(&one) == hash(&other), one == other);
        let joined = [one.concat()];
        prop_assert_eq!(hash(&one) == hash(&joined), one == joined);
    }

    #[test]
    fn every_text_has_the_hash_of_the_textbook(text in any::<Vec<u16>>()) {
        let mut hash = Hash::new();
        text.iter().for_each(|unit| hash.unit(u32::from(*unit)));
        let bytes: Vec<u8> = text.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        prop_assert_eq!(hex(hash), fnv(&bytes));
    }

    #[test]
    fn decisions_share_a_key_only_if_campaign_experiment_and_unit_are_the_same(
        one in [tricky(), tricky(), tricky()],
        other in [tricky(), tricky(), tricky()],
    ) {
        let make = |[campaign, experiment, unit]: &[String; 3]| {
            let (campaign, unit) = (campaign.clone(), unit.clone());
            Decided { campaign, unit, ..optimizely(experiment, "v1") }.key()
        };
        prop_assert_eq!(make(&one) == make(&other), one == other);
    }
}
