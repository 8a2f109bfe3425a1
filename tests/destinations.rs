//! The destinations: decision in, event out, to the letter; and what Segment looks like.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{AT, Json, direct, from, held_back, optimizely, options, with};
use decision_bridge::decision::{Decision, Text};
use decision_bridge::destination::segment::{self, PATHS, is_foreign};
use decision_bridge::destination::{Destination, Event, State, event, spell};
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

// How each destination is told

const ID: &str = "db-0123456789abcdef0123456789abcdef";

#[track_caller]
fn is_spelled(decision: &Decision, destination: Destination, given: Value, all: [&str; 4]) {
    let sending =
        Sending { id: 1, destination, decision: decision.clone(), message_id: ID.into(), marks: PLAIN };
    let told = spell(&sending, &options(given), TIME, "https://shop.test/a");
    let [name, properties, options, user] = all;
    assert_eq!(told.name, name, "{destination:?}");
    assert_eq!(told.properties.json(), properties, "{destination:?}");
    assert_eq!(told.options.json(), options, "{destination:?}");
    assert_eq!(told.user.json(), user, "{destination:?}");
}

/// What each destination is told of a decision whose source spells it as `own`, with `names`,
/// `keys` and `variant` in the places where a destination has words of its own.
#[track_caller]
fn is_told_everywhere(decision: &Decision, own: &str, names: [&str; 2], keys: [&str; 2], variant: &str) {
    use Destination::*;
    let viewed = "Experiment Viewed";
    let keyed = own.replace('}', &format!(r#","idempotencyKey":"{ID}"}}"#));
    let named = format!(r#"{{"Experiment name":"{}","Variant name":"{}"}}"#, names[0], names[1]);
    let flagged = format!(r#"{{"$feature_flag":"{}","$feature_flag_response":"{}"}}"#, keys[0], keys[1]);
    let variant = format!(r#"{{"exp_variant_string":"{variant}"}}"#);
    for (destination, name, properties, options) in [
        (
            Segment,
            viewed,
            own,
            r#"{"timestamp":"2024-03-09T16:00:00.000Z","messageId":"db-0123456789abcdef0123456789abcdef"}"#,
        ),
        (
            Amplitude,
            viewed,
            own,
            r#"{"insert_id":"db-0123456789abcdef0123456789abcdef","time":1710000000000}"#,
        ),
        (
            RudderStack,
            viewed,
            &keyed,
            r#"{"messageId":"db-0123456789abcdef0123456789abcdef","originalTimestamp":"2024-03-09T16:00:00.000Z"}"#,
        ),
        (
            Mixpanel,
            "$experiment_started",
            &named,
            r#"{"$insert_id":"db-0123456789abcdef0123456789abcdef","time":1710000000000}"#,
        ),
        (
            PostHog,
            "$feature_flag_called",
            &flagged,
            r#"{"uuid":"01234567-89ab-8def-a123-456789abcdef","timestamp":"2024-03-09T16:00:00.000Z"}"#,
        ),
        (Ga4, "experience_impression", &variant, "{}"),
        (Gtm, viewed, own, "{}"),
    ] {
        is_spelled(decision, destination, json!({}), [name, properties, options, "{}"]);
    }
}

#[test]
fn a_decision_of_optimizely_web_is_told_to_each_destination_in_its_own_words() {
    is_told_everywhere(
        &full(),
        r#"{"experimentId":"e1","experimentName":"Experiment","variationId":"v1","variationName":"Variation","campaignId":"c1","campaignName":"Campaign","audienceId":"50,51","audienceName":"Returning, Mobile","referrer":"https://before.test/","isHoldback":false}"#,
        ["Experiment", "Variation"],
        ["e1", "v1"],
        "optimizelyWeb-e1-v1",
    );
}

#[test]
fn a_decision_of_the_pages_own_is_told_to_each_destination_in_its_own_words() {
    let named = with(direct("checkout", "blue"), Text::ExperimentName, "Checkout");
    is_told_everywhere(
        &with(with(named, Text::ExperimentId, "7"), Text::Label, "webyn"),
        r#"{"experimentId":"7","variationId":"blue","experimentName":"Checkout","variationName":"blue","assignedAt":"2024-03-09T16:00:00.000Z"}"#,
        ["Checkout", "blue"],
        ["checkout", "blue"],
        "webyn-7-blue",
    );
}

#[test]
fn words_of_a_destinations_own_stay_and_the_rest_follows_the_options() {
    let given = json!({"propertyCase": "snake_case", "properties": {"mySite": "a"}, "eventName": "Seen"});
    let marked = Marks { qa: true, preview: false };
    let told = |destination| {
        let decision = held_back(optimizely("e1", "v1"));
        let sending = Sending { id: 1, destination, decision, message_id: ID.into(), marks: marked };
        let event = spell(&sending, &options(given.clone()), TIME, "");
        [event.name, event.properties.json()]
    };
    let marks = r#""is_holdback":true,"is_qa":true"#;
    for (destination, own) in [
        (Destination::Mixpanel, r#""Experiment name":"e1","Variant name":"v1","#),
        (Destination::PostHog, r#""$feature_flag":"e1","$feature_flag_response":"v1","#),
        (Destination::Ga4, ""),
    ] {
        let [name, properties] = told(destination);
        assert_eq!(name, "Seen");
        let expected = format!(r#"{{"mySite":"a",{own}{marks}}}"#);
        let ga4 = expected.replace('}', r#","exp_variant_string":"optimizelyWeb-e1-v1"}"#);
        assert_eq!(properties, if destination == Destination::Ga4 { ga4 } else { expected });
    }
}

#[test]
fn mixpanels_keys_are_no_longer_than_it_takes_and_posthogs_are_uuids() {
    let decision = optimizely("e1", "v1");
    let id = decision.message_id("key", "visitor", 1, "s1");
    assert!(id.len() <= 36, "{id}");
    let told = |destination| {
        let sending =
            Sending { id: 1, destination, decision: decision.clone(), message_id: id.clone(), marks: PLAIN };
        spell(&sending, &options(json!({})), TIME, "").options.json()
    };
    assert!(told(Destination::Mixpanel).contains(&id));
    let told: Value = serde_json::from_str(&told(Destination::PostHog)).expect("JSON");
    let uuid = told["uuid"].as_str().expect("a text");
    let form: String =
        uuid.chars().map(|letter| if letter.is_ascii_hexdigit() { 'x' } else { letter }).collect();
    assert_eq!(form, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
    assert_eq!((uuid.get(14..15), uuid.get(19..20)), (Some("8"), Some("a")));
}

#[test]
fn amplitude_is_told_under_the_event_the_site_chose() {
    let given = |event: &str| json!({"eventName": "Seen", "destinationOptions": {"amplitude": {"exposureEvent": event}}});
    let told = |decision: Decision, event: &str| {
        let sending = Sending {
            id: 1,
            destination: Destination::Amplitude,
            decision,
            message_id: ID.into(),
            marks: PLAIN,
        };
        let event = spell(&sending, &options(given(event)), TIME, "");
        [event.name, event.properties.json()]
    };
    let decision = || with(with(direct("checkout", "blue"), Text::ExperimentId, "7"), Text::FlagKey, "flag");
    let exposure = r#"{"flag_key":"flag","variant":"blue","experiment_key":"checkout"}"#;
    assert_eq!(told(decision(), "$exposure"), ["$exposure", exposure]);
    let [name, properties] = told(decision(), "Test Seen");
    assert_eq!(name, "Test Seen");
    assert!(properties.starts_with(r#"{"experimentId":"7""#), "{properties}");
    let own = with(decision(), Text::EventName, "From the form");
    assert_eq!(told(own, "Test Seen")[0], "From the form");
}

// How each destination is found

const QUIET: State = State::Ready { confirms: false };

#[track_caller]
fn is_found(destination: Destination, window: Value, state: State) {
    let told = Json(window.clone()).pick(destination.paths(), "");
    assert_eq!(destination.state(&told, false), state, "{window}");
}

/// A stub that is an array with methods cannot be said in JSON.
#[track_caller]
fn stub_is(destination: Destination, told: &[&str], blocked: bool, state: State) {
    let told = decision_bridge::view::Picked(told.join("\u{1f}"));
    assert_eq!(destination.state(&told, blocked), state);
}

#[test]
fn what_only_has_the_name_of_a_tool_is_missing() {
    for destination in Destination::ALL {
        is_found(destination, json!({}), State::Missing);
        for name in ["amplitude", "rudderanalytics", "mixpanel", "posthog", "dataLayer", "gtag"] {
            for thing in [
                json!(null),
                json!("text"),
                json!({}),
                json!({"track": "f", "capture": {}, "push": 1, "Identify": true}),
                json!({"__loaded": true}),
                json!([]),
            ] {
                is_found(destination, json!({ name: thing }), State::Missing);
            }
        }
    }
}

#[test]
fn amplitude_is_a_stub_until_its_sdk_has_taken_the_snippets_object_over() {
    let amplitude = |invoked: Value, run: Value| json!({"amplitude": {"track": function(), "Identify": function(), "invoked": invoked, "runQueuedFunctions": run}});
    let stub = amplitude(json!(true), json!(null));
    is_found(Destination::Amplitude, stub.clone(), State::Stub);
    is_found(Destination::Amplitude, amplitude(json!(true), function()), READY);
    is_found(Destination::Amplitude, amplitude(json!(null), json!(null)), READY);
    let told = Json(stub).pick(Destination::Amplitude.paths(), "");
    assert_eq!(Destination::Amplitude.state(&told, true), State::Failed);
    // Amplitude's old SDK, and players of that name.
    is_found(Destination::Amplitude, json!({"amplitude": {"track": function()}}), State::Missing);
}

#[test]
fn tools_that_are_an_array_of_calls_are_stubs_until_they_have_loaded() {
    for (destination, name, call) in
        [(Destination::Mixpanel, "mixpanel", "track"), (Destination::PostHog, "posthog", "capture")]
    {
        stub_is(destination, &["f", "l", "m"], false, State::Stub);
        stub_is(destination, &["f", "l", "m"], true, State::Failed);
        is_found(destination, json!({ name: { call: function(), "__loaded": true } }), QUIET);
        is_found(destination, json!({ name: { call: function(), "__loaded": false } }), State::Missing);
    }
}

#[test]
fn rudderstack_queues_until_it_has_its_configuration_and_with_that_an_id() {
    stub_is(Destination::RudderStack, &["f", "l", "m"], false, State::Stub);
    stub_is(Destination::RudderStack, &["f", "l", "m"], true, State::Failed);
    stub_is(Destination::RudderStack, &["f", "o", "s"], false, State::Stub);
    stub_is(Destination::RudderStack, &["f", "o", "sid"], false, QUIET);
    stub_is(Destination::RudderStack, &["f", "o", "sid"], true, QUIET);
    stub_is(Destination::RudderStack, &["f", "o", "m"], false, State::Missing);
}

#[test]
fn a_data_layer_keeps_everything_and_is_ready() {
    let layer = json!({"dataLayer": {"push": function()}});
    is_found(Destination::Ga4, layer.clone(), QUIET);
    is_found(Destination::Gtm, layer, QUIET);
    is_found(Destination::Ga4, json!({"gtag": function()}), QUIET);
    is_found(Destination::Gtm, json!({"gtag": function()}), State::Missing);
}

/// A decision of a tool that knows a flag, an experiment and a variation by their keys.
fn of(source: Source) -> Decision {
    let keyed = with(common::from(source, direct("rule", "blue")), Text::FlagKey, "flag");
    let mut own = Fields::default();
    own.flag("enabled", true);
    let properties = if source == Source::OptimizelyFeature { pack(&own) } else { String::new() };
    with(with(keyed, Text::Unit, "u1"), Text::Properties, &properties)
}

#[test]
fn a_decision_of_each_other_tool_is_told_to_each_destination_in_its_own_words() {
    let plain =
        r#"{"experiment_id":"rule","experiment_name":"rule","variation_id":"blue","variation_name":"blue"}"#;
    let flagged = plain.replace('}', r#","flag_key":"flag"}"#);
    for (source, own) in
        [(Source::Statsig, plain), (Source::Growthbook, &flagged), (Source::OpenFeature, &flagged)]
    {
        let variant = format!("{}-rule-blue", source.name());
        is_told_everywhere(&of(source), own, ["rule", "blue"], ["flag", "blue"], &variant);
    }
}

#[test]
fn a_flag_of_optimizely_is_a_user_property_of_amplitudes() {
    let viewed = |enabled: bool| {
        format!(
            r#"{{"enabled":{enabled},"flag_key":"flag","variation_key":"blue","rule_key":"rule","user_id":"u1"}}"#
        )
    };
    let key = r#"{"insert_id":"db-0123456789abcdef0123456789abcdef","time":1710000000000}"#;
    let mut off = Fields::default();
    off.flag("enabled", false);
    let on = of(Source::OptimizelyFeature);
    for (decision, properties, user) in [
        (on.clone(), viewed(true), r#"{"[Optimizely] flag":"blue"}"#),
        (with(on, Text::Properties, &pack(&off)), viewed(false), r#"{"[Optimizely] flag":"off"}"#),
    ] {
        let all = ["Experiment Viewed", &properties, key, user];
        is_spelled(&decision, Destination::Amplitude, json!({}), all);
    }
    let sent = Destination::Segment;
    let key = r#"{"timestamp":"2024-03-09T16:00:00.000Z","messageId":"db-0123456789abcdef0123456789abcdef"}"#;
    let all = ["Experiment Viewed", &viewed(true), key, "{}"];
    is_spelled(&of(Source::OptimizelyFeature), sent, json!({}), all);
}

#[test]
fn a_decision_of_a_vs_b_keeps_its_event_where_the_destination_has_none_of_its_own() {
    let name = |destination| {
        let decision = of(Source::Avsb);
        let sending = Sending { id: 1, destination, decision, message_id: ID.into(), marks: PLAIN };
        spell(&sending, &options(json!({})), TIME, "").name
    };
    assert_eq!(name(Destination::Amplitude), "avsb_experiment");
    assert_eq!(name(Destination::Mixpanel), "$experiment_started");
}
