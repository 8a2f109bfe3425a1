//! The destinations: decision in, event out, to the letter; and what Segment looks like.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{AT, Json, direct, from, held_back, optimizely, options, with};
use decision_bridge::decision::{Decision, Text};
use decision_bridge::destination::segment::{self, PATHS, is_foreign};
use decision_bridge::destination::{Destination, Event, State, event};
use decision_bridge::gate::Marks;
use decision_bridge::json::Fields;
use decision_bridge::outbox::Sending;
use decision_bridge::parcel::pack;
use decision_bridge::source::Source;
use decision_bridge::view::View;
use serde_json::{Value, json};

const TIME: &str = "2024-03-09T16:00:00.000Z";

/// Everything Optimizely Web can tell.
fn full() -> Decision {
    let texts = [
        (Text::CampaignName, "Campaign"),
        (Text::ExperimentName, "Experiment"),
        (Text::VariationName, "Variation"),
        (Text::AudienceId, "50,51"),
        (Text::AudienceName, "Returning, Mobile"),
        (Text::Referrer, "https://before.test/"),
        (Text::Unit, "oeu1"),
        (Text::Project, "p1"),
        (Text::PageUrl, "https://shop.test/a"),
    ];
    texts.into_iter().fold(optimizely("e1", "v1"), |decision, (text, value)| with(decision, text, value))
}

#[track_caller]
fn is_told(decision: &Decision, given: Value, marks: Marks, name: &str, properties: &str) {
    let Event { name: told, properties: fields, .. } = event(decision, marks, &options(given), TIME);
    assert_eq!(told, name);
    assert_eq!(fields.json(), properties);
    serde_json::from_str::<Value>(&fields.json()).expect("JSON");
}

const PLAIN: Marks = Marks { qa: false, preview: false };

#[test]
fn a_decision_of_optimizely_web_is_told_in_camel_case_with_all_that_is_known() {
    is_told(
        &full(),
        json!({}),
        PLAIN,
        "Experiment Viewed",
        r#"{"experimentId":"e1","experimentName":"Experiment","variationId":"v1","variationName":"Variation","campaignId":"c1","campaignName":"Campaign","audienceId":"50,51","audienceName":"Returning, Mobile","referrer":"https://before.test/","isHoldback":false}"#,
    );
}

#[test]
fn ids_stand_in_for_names_and_what_is_not_known_is_left_out() {
    is_told(
        &optimizely("e1", "v1"),
        json!({}),
        PLAIN,
        "Experiment Viewed",
        r#"{"experimentId":"e1","experimentName":"e1","variationId":"v1","variationName":"v1","campaignId":"c1","campaignName":"c1","isHoldback":false}"#,
    );
}

#[test]
fn snake_case_goes_for_every_name_that_is_ours() {
    is_told(
        &held_back(full()),
        json!({"propertyCase": "snake_case", "properties": {"myOwn": 1}}),
        Marks { qa: true, preview: true },
        "Experiment Viewed",
        r#"{"myOwn":1,"experiment_id":"e1","experiment_name":"Experiment","variation_id":"v1","variation_name":"Variation","campaign_id":"c1","campaign_name":"Campaign","audience_id":"50,51","audience_name":"Returning, Mobile","referrer":"https://before.test/","is_holdback":true,"is_qa":true,"is_preview":true}"#,
    );
}

#[test]
fn decisions_of_flags_are_told_as_segments_specification_of_ab_tests_has_it() {
    let texts = [(Text::ExperimentName, "Experiment"), (Text::VariationName, "Two"), (Text::FlagKey, "f1")];
    let decision = texts.into_iter().fold(direct("e1", "v1"), |it, (text, value)| with(it, text, value));
    for source in [Source::Growthbook, Source::OpenFeature] {
        let properties = r#"{"experiment_id":"e1","experiment_name":"Experiment","variation_id":"v1","variation_name":"Two","flag_key":"f1"}"#;
        is_told(&from(source, decision.clone()), json!({}), PLAIN, "Experiment Viewed", properties);
    }
}

#[test]
fn a_decision_of_a_vs_b_is_told_as_its_own_guide_has_it() {
    let told = |given: Value, properties: &str| {
        is_told(&from(Source::Avsb, direct("e1", "v1")), given, PLAIN, "avsb_experiment", properties);
    };
    told(
        json!({}),
        r#"{"experiment_id":"e1","experiment_name":"e1","variation_id":"v1","variation_name":"v1","event_name":"experiment_viewed"}"#,
    );
    told(
        json!({"propertyCase": "camelCase"}),
        r#"{"experimentId":"e1","experimentName":"e1","variationId":"v1","variationName":"v1","eventName":"experiment_viewed"}"#,
    );
}

#[test]
fn a_decision_of_the_pages_own_is_told_with_the_time_it_was_made() {
    let named =
        with(with(direct("checkout", "blue"), Text::ExperimentName, "Checkout"), Text::ExperimentId, "7");
    is_told(
        &named,
        json!({}),
        PLAIN,
        "Experiment Viewed",
        r#"{"experimentId":"7","variationId":"blue","experimentName":"Checkout","variationName":"blue","assignedAt":"2024-03-09T16:00:00.000Z"}"#,
    );
    is_told(
        &held_back(direct("checkout", "blue")),
        json!({"propertyCase": "snake_case"}),
        PLAIN,
        "Experiment Viewed",
        r#"{"experiment_id":"checkout","variation_id":"blue","experiment_name":"checkout","variation_name":"blue","assigned_at":"2024-03-09T16:00:00.000Z","is_holdback":true}"#,
    );
}

#[test]
fn a_decision_about_a_flag_is_told_by_its_keys() {
    let mut own = Fields::default();
    own.flag("enabled", false);
    let texts = [(Text::FlagKey, "checkout"), (Text::Unit, "u1"), (Text::Properties, &pack(&own))];
    let flag = texts
        .into_iter()
        .fold(direct("checkout_exp", "control"), |decision, (text, value)| with(decision, text, value));
    is_told(
        &from(Source::OptimizelyFeature, flag),
        json!({}),
        PLAIN,
        "Experiment Viewed",
        r#"{"enabled":false,"flag_key":"checkout","variation_key":"control","rule_key":"checkout_exp","user_id":"u1"}"#,
    );
}

#[test]
fn a_decision_of_statsig_is_told_as_segments_spec_has_it() {
    let group =
        with(with(direct("checkout_exp", ""), Text::VariationId, "4xTest"), Text::VariationName, "Test");
    is_told(
        &from(Source::Statsig, group),
        json!({}),
        Marks { qa: true, preview: false },
        "Experiment Viewed",
        r#"{"experiment_id":"checkout_exp","experiment_name":"checkout_exp","variation_id":"4xTest","variation_name":"Test","is_qa":true}"#,
    );
}

#[test]
fn static_properties_give_way_to_the_decisions_own_and_both_to_the_contract() {
    let mut own = Fields::default();
    own.put("site", "\"b\"");
    own.put("experimentId", "\"forged\"");
    own.put("plan", "1.5");
    let decision = with(direct("e1", "v1"), Text::Properties, &pack(&own));
    is_told(
        &decision,
        json!({"properties": {"site": "a", "variationName": "forged", "team": true}}),
        PLAIN,
        "Experiment Viewed",
        r#"{"site":"b","team":true,"variationName":"v1","experimentId":"e1","plan":1.5,"variationId":"v1","experimentName":"e1","assignedAt":"2024-03-09T16:00:00.000Z"}"#,
    );
}

#[test]
fn marks_are_told_only_when_they_are_there() {
    for (marks, qa, preview) in [
        (PLAIN, false, false),
        (Marks { qa: true, preview: false }, true, false),
        (Marks { qa: false, preview: true }, false, true),
    ] {
        let json = event(&optimizely("e1", "v1"), marks, &options(json!({})), TIME).properties.json();
        assert_eq!(json.contains(r#""isQa":true"#), qa, "{json}");
        assert_eq!(json.contains(r#""isPreview":true"#), preview, "{json}");
    }
}

#[test]
fn the_event_name_of_the_decision_comes_before_the_option_and_that_before_the_sources() {
    let name = |decision: Decision, given: Value| event(&decision, PLAIN, &options(given), TIME).name;
    let own = || with(optimizely("e1", "v1"), Text::EventName, "From the form");
    assert_eq!(name(own(), json!({"eventName": "Seen"})), "From the form");
    assert_eq!(name(optimizely("e1", "v1"), json!({"eventName": "Seen"})), "Seen");
    assert_eq!(name(optimizely("e1", "v1"), json!({})), "Experiment Viewed");
}

#[test]
fn names_go_out_as_they_came_in() {
    let nasty = "\"quote\" \\ \u{0}\n\t\u{7f}\u{2028} </script><img onerror=x> é 😀 \u{202e}";
    let told =
        event(&with(optimizely("e1", "v1"), Text::ExperimentName, nasty), PLAIN, &options(json!({})), TIME);
    let read: Value = serde_json::from_str(&told.properties.json()).expect("JSON");
    assert_eq!(read["experimentName"], nasty);
}

#[test]
fn properties_that_were_tampered_with_leave_the_rest_alone() {
    let decision = with(direct("e1", "v1"), Text::Properties, "3:abc99:cut off");
    let json = event(&decision, PLAIN, &options(json!({})), TIME).properties.json();
    assert!(json.starts_with(r#"{"experimentId":"e1","#), "{json}");
}

fn looks(analytics: Value) -> decision_bridge::view::Picked {
    Json(json!({"analytics": analytics})).pick(PATHS, "")
}

#[track_caller]
fn is(analytics: Value, state: State) {
    assert_eq!(segment::state(&looks(analytics.clone()), false), state, "{analytics}");
}

fn function() -> Value {
    json!({"$": "f"})
}

const READY: State = State::Ready { confirms: true };
const SILENT: State = State::Ready { confirms: false };

#[test]
fn segment_is_missing_where_there_is_nothing_to_call() {
    assert_eq!(segment::state(&Json(json!({})).pick(PATHS, ""), false), State::Missing);
    for nothing in [
        json!(null),
        json!(0),
        json!("analytics"),
        json!([]),
        json!({}),
        function(),
        json!(true),
        json!({"track": null}),
        json!({"track": "f"}),
        json!({"track": {}}),
        json!({"initialized": true}),
    ] {
        is(nothing, State::Missing);
    }
}

/// The snippet's stub is an array with methods, which JSON cannot say.
#[test]
fn the_snippets_stub_is_a_stub_until_its_script_is_known_to_be_blocked() {
    let told = |kind: &str| {
        decision_bridge::view::Picked([kind, "f", "m", "m", "m", "f", "m", "m", "m", "m", "m"].join("\u{1f}"))
    };
    assert_eq!(segment::state(&told("l"), false), State::Stub);
    assert_eq!(segment::state(&told("l"), true), State::Failed);
}

#[test]
fn analytics_js_is_ready_once_it_is_initialized() {
    let loaded = |initialized: Value, version: &str| json!({"track": function(), "initialized": initialized, "VERSION": version, "settings": {"writeKey": "k"}});
    is(loaded(json!(true), "1.81.0"), READY);
    is(loaded(json!(true), ""), SILENT);
    is(loaded(json!(false), "1.81.0"), State::Stub);
    assert_eq!(segment::state(&looks(loaded(json!(false), "1.81.0")), true), State::Failed);
    assert_eq!(
        segment::state(&looks(loaded(json!(true), "1.81.0")), true),
        READY,
        "it is there all the same"
    );
}

#[test]
fn analytics_js_that_is_disabled_drops_what_it_is_told() {
    let null = json!({"track": function(), "initialized": true, "VERSION": "1.81.0", "settings": {"writeKey": ""}, "queue": {"plugins": []}});
    is(null, State::Failed);
    let without_key = json!({"track": function(), "initialized": true, "VERSION": "1.81.0", "settings": {"writeKey": ""}, "queue": {"plugins": [{}]}});
    is(without_key, READY);
}

#[test]
fn the_npm_package_buffers_until_it_has_its_instance() {
    let buffered = json!({"track": function(), "then": function(), "load": function()});
    is(buffered.clone(), State::Stub);
    assert_eq!(segment::state(&looks(buffered), true), State::Failed);
    let ready = |key: &str, plugins: Value| {
        json!({"track": function(), "then": function(), "load": function(),
            "instance": {"settings": {"writeKey": key}, "queue": {"plugins": plugins}}})
    };
    is(ready("k", json!([{}])), READY);
    is(ready("", json!([])), State::Failed);
    is(ready("", json!([{}])), READY);
}

#[test]
fn another_library_is_ready_and_tells_nothing() {
    let foreign = json!({"track": function(), "page": function()});
    is(foreign.clone(), SILENT);
    let told = looks(foreign);
    assert!(is_foreign(&told, SILENT));
    let segments = looks(json!({"track": function(), "initialized": true, "VERSION": "1.81.0"}));
    assert!(!is_foreign(&segments, READY));
}

fn sending(decision: Decision) -> Sending {
    Sending { id: 1, destination: Destination::Segment, decision, message_id: "db-1".into(), marks: PLAIN }
}

fn made_on_a_page() -> Decision {
    let decision = with(optimizely("e1", "v1"), Text::PageUrl, "https://shop.test/a");
    with(with(decision, Text::PagePath, "/a"), Text::PageTitle, "A \"page\"")
}

#[test]
fn track_is_told_the_time_and_the_key_and_the_page_only_when_it_is_another() {
    let here =
        |url: &str| segment::options(&sending(made_on_a_page()), &options(json!({})), TIME, url).json();
    let plain = r#"{"timestamp":"2024-03-09T16:00:00.000Z","messageId":"db-1"}"#;
    assert_eq!(here("https://shop.test/a"), plain);
    assert_eq!(
        segment::options(&sending(optimizely("e1", "v1")), &options(json!({})), TIME, "https://shop.test/b")
            .json(),
        plain
    );
    assert_eq!(
        here("https://shop.test/b"),
        r#"{"timestamp":"2024-03-09T16:00:00.000Z","messageId":"db-1","context":{"page":{"url":"https://shop.test/a","path":"/a","title":"A \"page\"","search":""}}}"#
    );
}

#[test]
fn a_decision_is_shown_to_the_page_with_what_is_known() {
    let shown: Value = serde_json::from_str(&full().shown().json()).expect("JSON");
    assert_eq!(
        shown,
        json!({
            "source": "optimizelyWeb", "campaignId": "c1", "campaignName": "Campaign", "experimentId": "e1",
            "experimentName": "Experiment", "variationId": "v1", "variationName": "Variation", "userId": "oeu1",
            "isHoldback": false, "decidedAt": AT as u64,
        })
    );
    let labelled = with(direct("k", "v"), Text::Label, "webyn").shown().json();
    assert!(
        labelled.starts_with(r#"{"source":"webyn","experimentKey":"k","variationKey":"v""#),
        "{labelled}"
    );
}
