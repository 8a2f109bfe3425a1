//! What is kept in the browser: it comes back as it went in, and what others may have put there
//! does no harm.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{AT, optimizely, told_of};
use decision_bridge::decision::{Decision, Kind, NAME_LIMIT, Text};
use decision_bridge::destination::Destination;
use decision_bridge::gate::Marks;
use decision_bridge::options::Dedupe;
use decision_bridge::parcel::{Handed, Item, Parcel};
use decision_bridge::source::Source;
use decision_bridge::store::{Mark, Memory, PREFIX, Session, Shelf, holder, item_name, name};
use proptest::prelude::*;

/// Any text: letters of all kinds, and what the format itself is made of.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[0-9:]{0,12}", "\\PC{0,40}", Just(String::new())]
}

fn moment() -> impl Strategy<Value = f64> {
    (0_u64..1 << 53).prop_map(|number| number as f64)
}

prop_compose! {
    /// An item with any decision that an outbox may hold.
    fn item()(
        texts in proptest::collection::vec(text(), Text::COUNT),
        (source, kind, holdback, qa, preview) in (0..Source::ALL.len(), 0..Kind::ALL.len(), any::<[bool; 3]>())
            .prop_map(|(source, kind, flags)| (source, kind, flags[0], flags[1], flags[2])),
        (received_at, decided_at) in (moment(), moment()),
        occurrence in any::<u32>(),
        message_id in "[ -~]{0,100}",
    ) -> Item {
        let mut decision = Decision::new(Source::ALL[source], decided_at);
        for (text, value) in Text::ALL.into_iter().zip(&texts) {
            decision.set(text, value);
        }
        decision.fill(Text::ExperimentId, "e");
        decision.fill(Text::VariationId, "v");
        decision.kind = Kind::ALL[kind];
        decision.holdback = holdback;
        let mut item = Item::new(7, decision, received_at);
        item.marks = Marks { qa, preview };
        item.parcels.push(Parcel::new(Destination::Segment, occurrence, message_id));
        item
    }
}

proptest! {
    #[test]
    fn whatever_was_decided_comes_back_from_its_record(item in item()) {
        let back = Item::from_record(&item.record()).expect("a record that was just written");
        prop_assert_eq!(told_of(&back.decision), told_of(&item.decision));
        prop_assert_eq!(back.key, item.key);
        prop_assert_eq!(back.outcome, item.outcome);
        prop_assert_eq!(back.parcels, item.parcels);
        prop_assert_eq!(back.marks, item.marks);
        prop_assert_eq!(back.received_at, item.received_at);
        prop_assert!(back.carried && !back.stored && back.hold.is_none());
    }

    #[test]
    fn a_record_that_was_cut_off_is_no_item(item in item(), cut in any::<prop::sample::Index>()) {
        let record = item.record();
        let mut at = cut.index(record.len());
        while !record.is_char_boundary(at) {
            at -= 1;
        }
        prop_assert_eq!(Item::from_record(&record[..at]), None);
    }

    #[test]
    fn a_record_with_something_behind_it_is_no_item(item in item(), rest in "[a-z]{1,20}") {
        prop_assert_eq!(Item::from_record(&(item.record() + &rest)), None);
    }

    #[test]
    fn garbage_is_no_item(garbage in text()) {
        prop_assert_eq!(Item::from_record(&garbage), None);
    }

    #[test]
    fn fields_that_look_right_but_are_not_never_become_an_item(
        fields in proptest::collection::vec(prop_oneof![text(), "[0-9]{1,20}"], 0..40),
    ) {
        let record: String = fields.iter().map(|field| format!("{}:{field}", field.len())).collect();
        // Without the version in front it is nothing of ours.
        prop_assume!(fields.first().is_none_or(|first| first != "1"));
        prop_assert_eq!(Item::from_record(&record), None);
    }

    /// A bit that flipped may leave a readable record; what is read is then complete all the same.
    #[test]
    fn a_bit_that_flipped_never_panics_and_never_gives_half_an_item(
        item in item(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let mut bytes = item.record().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Some(item) = Item::from_record(&String::from_utf8_lossy(&bytes)) {
            prop_assert!(!item.decision.experiment().is_empty() && !item.decision.variation().is_empty());
            prop_assert_eq!(item.parcels.len(), 1);
            prop_assert!(item.parcels[0].message_id.len() <= 100);
        }
    }

    #[test]
    fn a_memory_comes_back_in_its_period_and_says_nothing_in_another(
        outcome in "[0-9a-f]{32}", occurrence in any::<u32>(), period in "[a-z0-9-]{1,30}", other in "[a-z0-9-]{1,30}",
    ) {
        let mut memory = Memory::default();
        memory.remember(Destination::Segment, Mark { outcome, occurrence });
        let entry = memory.entry(&period);
        prop_assert_eq!(Memory::parse(&entry, &period), memory.clone());
        prop_assume!(period != other);
        prop_assert_eq!(Memory::parse(&entry, &other), Memory::default());
    }

    #[test]
    fn no_entry_of_another_script_panics_or_counts(garbage in text(), period in text()) {
        prop_assert!(Memory::parse(&garbage, &period).mark(Destination::Segment).is_none());
        let _ = Session::running(&garbage, AT, 1e6);
        let _ = holder(&garbage);
    }

    #[test]
    fn half_a_mark_is_no_mark(cut in 0..42_usize) {
        let mut memory = Memory::default();
        memory.remember(Destination::Segment, Mark { outcome: "o".repeat(32), occurrence: 3 });
        let entry = memory.entry("s1");
        let read = Memory::parse(&entry[..cut.min(entry.len() - 33)], "s1");
        prop_assert_eq!(read.mark(Destination::Segment), None);
    }

    #[test]
    fn a_session_runs_until_its_time_is_out_and_a_clock_that_was_set_back_does_not_end_it(
        id in "[a-z0-9]{1,64}", last in 0_u64..1 << 52, passed in -1_000_000_000_i64..1_000_000_000, timeout in 0..100_000_000_i64,
    ) {
        let session = Session { id: id.clone(), last: last as f64 };
        let now = last as f64 + passed as f64;
        let runs = passed <= timeout;
        prop_assert_eq!(Session::running(&session.entry(), now, timeout as f64), runs.then_some(id));
    }
}

#[test]
fn a_record_of_another_version_or_without_what_matters_is_no_item() {
    let mut item = Item::new(1, optimizely("e1", "v1"), AT);
    assert_eq!(Item::from_record(&item.record()), None, "without a parcel");
    item.parcels.push(Parcel::new(Destination::Segment, 1, "db-1".into()));
    let record = item.record();
    assert!(Item::from_record(&record).is_some());
    assert_eq!(Item::from_record(&record.replacen("1:2", "1:1", 1)), None, "of another version");
    for text in [Text::ExperimentId, Text::VariationId] {
        let mut item = item.clone();
        item.decision.set(text, "");
        assert_eq!(Item::from_record(&item.record()), None, "without {text:?}");
    }
    item.parcels[0].message_id = "x".repeat(101);
    assert_eq!(Item::from_record(&item.record()), None, "a key that is too long");
}

#[test]
fn a_parcel_that_has_ended_is_not_written_down_and_one_that_was_handed_over_is_offered_again() {
    let mut item = Item::new(1, optimizely("e1", "v1"), AT);
    let parcel = Parcel::new(Destination::Segment, 2, "db-1".into());
    item.parcels.push(Parcel { handed: Handed::Stub, failures: 2, ..parcel.clone() });
    let back = Item::from_record(&item.record()).expect("a record");
    assert_eq!(back.parcels, [parcel]);
    item.parcels[0].end = Some(decision_bridge::decision::Verdict::Delivered);
    assert_eq!(Item::from_record(&item.record()), None);
}

#[test]
fn texts_of_a_record_are_cut_like_any_other() {
    let mut item = Item::new(1, optimizely("e1", "v1"), AT);
    item.parcels.push(Parcel::new(Destination::Segment, 1, "db-1".into()));
    let long = "n".repeat(5000);
    // As another script may have written it.
    let record = item.record().replacen("2:c1", &format!("{}:{long}", long.len()), 1);
    let back = Item::from_record(&record).expect("a record");
    assert_eq!(back.decision.get(Text::CampaignId).len(), NAME_LIMIT);
}

#[test]
fn a_mark_is_set_replaced_and_taken_away() {
    let mark = |occurrence| Mark { outcome: "o".into(), occurrence };
    let mut memory = Memory::default();
    memory.remember(Destination::Segment, mark(2));
    memory.remember(Destination::Segment, mark(1));
    assert_eq!(memory.mark(Destination::Segment), Some(&mark(2)));
    assert_eq!(memory.entry("s1"), "s1 segment 2 o");
    memory.forget(Destination::Segment, &mark(1));
    assert_eq!(memory.mark(Destination::Segment), Some(&mark(2)));
    memory.forget(Destination::Segment, &mark(2));
    assert_eq!((memory.mark(Destination::Segment), memory.entry("s1").as_str()), (None, "s1"));
    assert_eq!(
        Memory::parse("s1 somewhere 2 o segment 3 p", "s1")
            .mark(Destination::Segment)
            .map(|it| it.occurrence),
        Some(3)
    );
}

#[test]
fn a_session_that_is_no_session_does_not_run() {
    for entry in ["", " ", "id", "id ", "id x", " 5", "id -5", "id 5 6", &format!("{} 5", "i".repeat(65))] {
        assert_eq!(Session::running(entry, 5.0, 1e6), None, "{entry:?}");
    }
}

#[test]
fn all_names_begin_alike_and_items_are_in_order() {
    assert_eq!(name(&["seen/", "abc"]), "decision-bridge/1/seen/abc");
    let names: Vec<String> = [1, 2, 9, 10, 99, 100, 4000, 999_999].map(|id| item_name("17-abc", id)).into();
    assert!(names.iter().all(|name| name.starts_with(PREFIX) && holder(name) == "17-abc"), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!(names[0], "decision-bridge/1/out/17-abc/0000001");
}

#[test]
fn each_scope_has_its_shelf() {
    for (dedupe, shelf) in [
        (Dedupe::Page, Shelf::Page),
        (Dedupe::None, Shelf::Page),
        (Dedupe::Tab, Shelf::Tab),
        (Dedupe::Session, Shelf::Site),
        (Dedupe::Visitor, Shelf::Site),
    ] {
        assert_eq!(dedupe.shelf(), shelf);
    }
}
