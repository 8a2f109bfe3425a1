//! Keys: what is the same has the same key, and nothing else has.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{AT, Json, direct, from, held_back, optimizely, with};
use decision_bridge::decision::{Decision, Text};
use decision_bridge::key::Hash;
use decision_bridge::source::Source;
use decision_bridge::source::optimizely_web::{Around, read_callback, read_event};
use proptest::prelude::*;
use serde_json::json;

const PROJECT: &str = "key";

fn id(decision: &Decision) -> String {
    decision.message_id(PROJECT, "visitor", 1, "session")
}

#[test]
fn a_message_id_tells_where_it_comes_from_and_fits_into_100_characters() {
    let long = "x".repeat(5000);
    let id = optimizely(&long, &long).message_id(&long, &long, u32::MAX, &long);
    assert!(id.starts_with("db-"), "{id}");
    assert_eq!(id.len(), 35);
    assert!(id[3..].chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");
}

#[test]
fn a_message_id_is_the_same_when_the_same_is_told_again() {
    let mut later = optimizely("e1", "v1");
    later.decided_at = AT + 1e6;
    assert_eq!(id(&later), id(&optimizely("e1", "v1")));
    let named = with(optimizely("e1", "v1"), Text::ExperimentName, "Name");
    assert_eq!(id(&named), id(&optimizely("e1", "v1")), "a name that is learned later changes nothing");
}

#[test]
fn a_message_id_differs_by_everything_that_makes_another_event() {
    let base = optimizely("e1", "v1");
    let all = [
        id(&base),
        id(&optimizely("e2", "v1")),
        id(&optimizely("e1", "v2")),
        id(&with(base.clone(), Text::CampaignId, "c2")),
        id(&with(base.clone(), Text::Unit, "u1")),
        id(&with(base.clone(), Text::Project, "p1")),
        id(&with(base.clone(), Text::Label, "webyn")),
        id(&held_back(base.clone())),
        id(&from(Source::Direct, base.clone())),
        base.message_id("other project", "visitor", 1, "session"),
        base.message_id(PROJECT, "other visitor", 1, "session"),
        base.message_id(PROJECT, "visitor", 2, "session"),
        base.message_id(PROJECT, "visitor", 1, "other session"),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[..at].contains(one), "number {at} is the same as an earlier one");
    }
}

#[test]
fn the_tools_own_visitor_and_project_come_before_ours() {
    let known = with(with(optimizely("e1", "v1"), Text::Unit, "oeu1"), Text::Project, "p1");
    assert_eq!(known.message_id("a", "b", 1, "s"), known.message_id("c", "d", 1, "s"));
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
        with(base.clone(), Text::CampaignId, "c2"),
        with(base.clone(), Text::Unit, "u1"),
        with(base.clone(), Text::Label, "webyn"),
        from(Source::Direct, base.clone()),
    ] {
        assert_ne!(other.key(), base.key());
        assert_eq!(other.outcome(), base.outcome());
    }
}

#[test]
fn both_entrances_of_optimizely_give_the_same_decision() {
    let client = Json(json!({"get!visitor": {"visitorId": "oeu1"}, "get!data": {"projectId": "p1"}}));
    let around = Around { client: &client, cookies: "", at: AT };
    let callback = Json(json!({
        "campaignId": 1, "experimentId": 2, "variationId": 3, "isHoldback": false,
        "decisionData": {"visitorId": "oeu1", "projectId": "p1"},
    }));
    let event = Json(json!({"data": {"decision":
        {"campaignId": "1", "experimentId": "2", "variationId": "3", "isCampaignHoldback": false}}}));
    let mut mistakes = Vec::new();
    let told = read_callback(&callback, &around, &mut mistakes);
    let seen = read_event(&event, &around);
    assert_eq!(mistakes, [""; 0]);
    assert_eq!((told.key(), told.outcome(), id(&told)), (seen.key(), seen.outcome(), id(&seen)));
}

/// Texts made of what separators are made of.
fn tricky() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a:/|.,\\[\\]\"\u{1f}\u{0} ]{0,4}",
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
        let hash = |fields: &[String]| fields.iter().fold(Hash::new(), |hash, field| hash.field(field)).hex();
        prop_assert_eq!(hash(&one) == hash(&other), one == other);
        let joined = [one.concat()];
        prop_assert_eq!(hash(&one) == hash(&joined), one == joined);
    }

    #[test]
    fn decisions_share_a_key_only_if_campaign_experiment_and_unit_are_the_same(
        one in [tricky(), tricky(), tricky()],
        other in [tricky(), tricky(), tricky()],
    ) {
        let make = |[campaign, experiment, unit]: &[String; 3]| {
            let mut decision = Decision::new(Source::OptimizelyWeb, AT);
            decision.set(Text::CampaignId, campaign);
            decision.set(Text::ExperimentId, experiment);
            decision.set(Text::Unit, unit);
            decision.key()
        };
        prop_assert_eq!(make(&one) == make(&other), one == other);
    }
}

#[test]
fn a_flag_is_part_of_the_dedupe_key_but_not_growthbooks_feature() {
    let of = |source, flag: &str| from(source, with(direct("e1", "v1"), Text::FlagKey, flag)).key();
    assert_ne!(of(Source::OpenFeature, "f1"), of(Source::OpenFeature, "f2"));
    assert_eq!(of(Source::Growthbook, "f1"), of(Source::Growthbook, "f2"));
}
