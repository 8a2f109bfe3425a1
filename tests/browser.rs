//! The module's boundary, in a real browser: whatever page code passes in, throws or calls back,
//! nothing is thrown into the page and every decision takes its way.

#![cfg(target_arch = "wasm32")]

mod common;

use common::Json;
use decision_bridge::js::{call, start};
use decision_bridge::view::View;
use js_sys::{Array, Function, Reflect, eval};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

macro_rules! shell {
    ($($file:literal),*) => {
        [$(concat!("// file: ", $file, "\n", include_str!(concat!("../www/", $file)))),*]
    };
}

/// The parts of the shell that the module needs, each behind those it imports.
const SOURCES: [&str; 10] = shell![
    "script.js",
    "destinations/google.js",
    "destinations/segment.js",
    "destinations.js",
    "page.js",
    "sources/optimizely-web.js",
    "sources.js",
    "identity.js",
    "serve.js",
    "report.js"
];

/// A page on which the module has just started. It is cleared away when it is dropped.
struct Stage(JsValue);

impl Stage {
    fn new() -> Stage {
        let invoke = Closure::<dyn Fn(String, JsValue) -> String>::new(|method: String, arguments| {
            call(&method, arguments, js_sys::Date::now())
        });
        let sources: Array = SOURCES.iter().map(|source| JsValue::from_str(source)).collect();
        let make = Function::new_with_args("sources, invoke", include_str!("browser/stage.js"));
        let stage = make.call2(&JsValue::NULL, &sources, &invoke.into_js_value()).expect("the stage");
        start(0);
        Stage(stage)
    }

    /// With Segment loaded, and `init` called with these options.
    fn ready(options: &str) -> Stage {
        let stage = Stage::new();
        stage.does("stage.ready()");
        stage.does(&format!("bridge.init({options})"));
        stage
    }

    /// Page code runs; `bridge` is `window.decisionBridge`. What it throws fails the test.
    #[track_caller]
    fn does(&self, code: &str) -> JsValue {
        match eval(code) {
            Ok(value) => value,
            Err(error) => panic!("{code} threw {error:?}"),
        }
    }

    /// What page code comes to, as JSON.
    #[track_caller]
    fn tells(&self, code: &str) -> Value {
        let told = self.does(&format!("JSON.stringify({code})"));
        serde_json::from_str(&told.as_string().unwrap_or("null".into())).expect("JSON")
    }

    /// The variations that `track` was told of, in order.
    #[track_caller]
    fn sent(&self) -> Value {
        self.tells("stage.sent.map(([event, properties]) => properties.variationId)")
    }

    #[track_caller]
    fn verdicts(&self) -> Value {
        self.tells("Object.fromEntries(Object.entries(stage.report.diagnose({}).counts).filter(([, count]) => count))")
    }

    #[track_caller]
    fn is_told(&self, errors: &[&str]) {
        let errors: Vec<String> = errors.iter().map(|error| format!("[decision-bridge] {error}")).collect();
        assert_eq!(self.tells("stage.errors"), json!(errors));
    }

    #[track_caller]
    fn has_timers(&self, count: usize) {
        assert_eq!(self.tells("stage.timers.size"), json!(count), "timers");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let close = Reflect::get(&self.0, &"close".into()).expect("it can be closed");
        close.unchecked_into::<Function>().call0(&self.0).expect("closed");
    }
}

// What comes in

#[wasm_bindgen_test]
fn a_decision_goes_from_the_call_to_track() {
    let stage = Stage::ready("{}");
    stage.does("bridge.trackDecision({experimentId: 'e1', variationId: 'v1', decidedAt: 1710000000000})");
    let sent = stage.tells("stage.sent[0]");
    assert_eq!(sent[0], "Experiment Viewed");
    assert_eq!(sent[1]["experimentId"], "e1");
    assert_eq!(sent[1]["assignedAt"], "2024-03-09T16:00:00.000Z");
    assert_eq!(sent[2]["timestamp"], "2024-03-09T16:00:00.000Z");
    assert!(
        sent[2]["messageId"].as_str().is_some_and(|id| id.starts_with("db-") && id.len() == 35),
        "{sent}"
    );
    assert_eq!(stage.verdicts(), json!({"delivered": 1}));
    stage.is_told(&[]);
    stage.has_timers(0);
}

#[wasm_bindgen_test]
fn what_is_no_decision_at_all_is_named() {
    for (value, spelled) in [
        ("undefined", "missing"),
        ("null", "null"),
        ("5", "5"),
        ("-0", "0"),
        ("NaN", "NaN"),
        ("1e21", "1e+21"),
        ("12345678901234567890n", "12345678901234567890n"),
        ("true", "true"),
        ("'text'", "\"text\""),
        ("''", "\"\""),
        ("Symbol('s')", "missing"),
        ("[]", "a list"),
    ] {
        for method in ["trackDecision", "trackLayerDecision"] {
            let stage = Stage::ready("{}");
            stage.does(&format!("bridge.{method}({value})"));
            let by_position = method == "trackDecision";
            // That would be the id of an experiment.
            if by_position && !["undefined", "null", "true", "Symbol('s')", "[]"].contains(&value) {
                continue;
            }
            let wanted = if by_position { ", or the id of an experiment" } else { "" };
            stage.is_told(&[&format!("{method} `argument 1` is {spelled}, must be an object{wanted}")]);
            assert_eq!(stage.verdicts(), json!({"invalid": 1}), "{value}");
        }
    }
}

#[wasm_bindgen_test]
fn ids_of_every_kind_come_through_without_losing_a_digit() {
    let stage = Stage::ready("{}");
    for id in [
        "1",
        "'1234567890123456'",
        "1234567890123456",
        "'9223372036854775807'",
        "9223372036854775807n",
        "0",
        "'ключ'",
    ] {
        stage.does(&format!("bridge.trackDecision({{experimentId: 'e', variationId: {id}}})"));
    }
    assert_eq!(
        stage.sent(),
        json!(["1", "1234567890123456", "9223372036854775807", "0", "ключ"]),
        "the same id as a string, a number and a BigInt is the same decision"
    );
    assert_eq!(stage.verdicts(), json!({"delivered": 5, "duplicate": 2}));
    stage.is_told(&[]);
}

#[wasm_bindgen_test]
fn ids_of_no_good_kind_are_named() {
    for (value, spelled) in [
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("''", "\"\""),
        ("true", "true"),
        ("[]", "a list"),
        ("({toString() { throw 1; }})", "an object"),
        ("Object.create(null)", "an object"),
        ("() => 1", "a function"),
        ("new String('e')", "an object"),
    ] {
        let stage = Stage::ready("{}");
        stage.does(&format!("bridge.trackDecision({{experimentId: {value}, variationId: 'v'}})"));
        let wanted = "a string or a number that is not empty";
        stage.is_told(&[&format!("trackDecision: field `experimentId` is {spelled}, must be {wanted}")]);
        assert_eq!(stage.verdicts(), json!({"invalid": 1}));
    }
}

#[wasm_bindgen_test]
fn a_field_that_throws_is_missing_and_the_rest_counts() {
    let stage = Stage::ready("{}");
    for (at, broken) in [
        "get experimentName() { throw new Error('no'); }",
        "get experimentName() { throw null; }",
        "experimentName: Symbol('s')",
        "experimentName: new Proxy({}, {get() { throw 1; }})",
        "experimentName: {toString() { throw 1; }, [Symbol.toPrimitive]() { throw 1; }}",
        "properties: {get a() { throw 1; }, b: 2}",
        "decidedAt: {getTime() { throw 1; }}",
        "decidedAt: new Date(NaN)",
    ]
    .iter()
    .enumerate()
    {
        stage.does(&format!(
            "bridge.trackDecision({{experimentId: 'e{at}', variationId: 'v{at}', {broken}}})"
        ));
        assert_eq!(stage.sent().as_array().map(Vec::len), Some(at + 1), "{broken}");
    }
}

#[wasm_bindgen_test]
fn an_object_of_which_nothing_can_be_read_is_invalid() {
    for hostile in [
        "new Proxy({}, {get() { throw 1; }, has() { throw 1; }, ownKeys() { throw 1; }, getPrototypeOf() { throw 1; }})",
        "Object.create(null)",
        "{}",
    ] {
        for method in ["trackDecision", "trackLayerDecision"] {
            let stage = Stage::ready("{}");
            stage.does(&format!("bridge.{method}({hostile})"));
            assert_eq!(stage.verdicts(), json!({"invalid": 1}), "{method}({hostile})");
            stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
            assert_eq!(stage.sent(), json!(["v"]), "it goes on after {hostile}");
        }
    }
}

/// One of these kills the module in a browser where anything but the very look is guarded.
#[wasm_bindgen_test]
fn what_was_revoked_is_missing_wherever_it_stands() {
    for (at, code) in [
        "bridge.trackDecision(stage.revoked({}))",
        "bridge.trackLayerDecision(stage.revoked({}))",
        "bridge.init(stage.revoked({}))",
        "bridge.consent(stage.revoked(() => 1))",
        "bridge.attach(stage.revoked([]))",
        "bridge.trackDecision({experimentId: stage.revoked({}), variationId: 'v'})",
        "bridge.trackDecision({experimentId: 'e', variationId: 'v', experimentName: stage.revoked([])})",
        "bridge.trackDecision({experimentId: 'e', variationId: 'v', experimentName: stage.revoked(() => 1)})",
        "bridge.trackDecision({experimentId: 'e', variationId: 'v', properties: stage.revoked({})})",
        "bridge.trackDecision({experimentId: 'e', variationId: 'v', properties: {a: stage.revoked({})}})",
        "bridge.trackDecision({experimentId: 'e', variationId: 'v', decidedAt: stage.revoked({})})",
        "bridge.trackLayerDecision({campaignId: '1', experimentId: '2', variationId: '3', state: stage.revoked({})})",
        "bridge.trackLayerDecision({campaignId: '1', experimentId: '2', variationId: '3', state: {getDecisionObject: () => stage.revoked({})}})",
        "(window.optimizely = {push() {}, get: () => stage.revoked({})}, bridge.trackLayerDecision({campaignId: '1', experimentId: '2', variationId: '3'}))",
        "(window.optimizely = {push() {}, get: () => ({getCampaignStates: () => stage.revoked([])})}, bridge.attach('optimizelyWeb'))",
        "(window.optimizely = {push() {}, get: () => ({getCampaignStates: () => ({1: {isActive: true, audiences: stage.revoked([])}})})}, bridge.attach('optimizelyWeb'))",
        "(window.analytics = stage.revoked({}), bridge.flush(), stage.ready())",
        "(window.analytics = {track: stage.revoked(() => 1)}, bridge.flush(), stage.ready())",
    ]
    .iter()
    .enumerate()
    {
        let stage = Stage::ready("{}");
        stage.does(code);
        stage.does(&format!("bridge.trackDecision({{experimentId: 'last', variationId: 'last{at}'}})"));
        let sent = stage.sent();
        let last = sent.as_array().and_then(|sent| sent.last()).cloned();
        assert_eq!(last, Some(json!(format!("last{at}"))), "it goes on after {code}");
    }
}

#[wasm_bindgen_test]
fn audiences_that_throw_are_survived() {
    let stage = Stage::new();
    stage.does("window.optimizely = {push() {}, get: () => ({getCampaignStates: () => ({1: {isActive: true, experiment: {id: '2'}, variation: {id: '3'}, audiences: new Proxy([1], {get() { throw 1; }})}})})}");
    stage.does("stage.ready(), bridge.init({}), stage.fire()");
    assert_eq!(stage.sent(), json!(["3"]));
}

#[wasm_bindgen_test]
fn what_track_throws_may_refuse_to_become_a_text() {
    for thrown in ["{toString() { throw 1; }}", "Object.create(null)", "stage.revoked({})"] {
        let stage = Stage::new();
        stage.does(&format!(
            "stage.ready(() => {{ if (stage.sent.length < 2) throw {thrown}; }}), bridge.init({{}})"
        ));
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'}), stage.fire()");
        assert_eq!(stage.sent(), json!(["v", "v"]), "{thrown}");
    }
}

#[wasm_bindgen_test]
fn lists_that_throw_are_survived() {
    let stage = Stage::ready("{}");
    for list in [
        "new Proxy([1], {get() { throw 1; }})",
        "Object.assign([1], {[Symbol.iterator]() { throw 1; }, map: null, find: 5})",
        "[stage.revoked({}), null, undefined, 5, {get id() { throw 1; }}]",
    ] {
        stage.does(&format!(
            "page.pick({{list: {list}}}, 'list list.* list.*.id list.**.name list.?0.name list.0', 'a'), \
             bridge.init({{sources: {list}, destinations: {list}, qaSignals: {{params: {list}}}, properties: {{a: {list}}}}})"
        ));
    }
}

#[wasm_bindgen_test]
fn objects_of_the_page_are_never_written_to() {
    let stage = Stage::ready("{}");
    let frozen = "Object.freeze({experimentId: 'e', variationId: 'v', properties: Object.freeze({a: 1})})";
    stage.does(&format!("bridge.trackDecision({frozen})"));
    assert_eq!(stage.sent(), json!(["v"]));
    stage.does(
        "window.watched = new Proxy({experimentId: 'e', variationId: 'w'}, {
            set() { throw 1; }, defineProperty() { throw 1; }, deleteProperty() { throw 1; }, setPrototypeOf() { throw 1; } })",
    );
    stage.does("bridge.trackDecision(watched)");
    assert_eq!(stage.sent(), json!(["v", "w"]));
}

#[wasm_bindgen_test]
fn what_refers_to_itself_is_read_like_anything_else() {
    let stage = Stage::ready("{}");
    stage.does("(() => { const it = {experimentId: 'e', variationId: 'v'}; it.properties = it; it.it = it; bridge.trackDecision(it); })()");
    assert_eq!(stage.sent(), json!(["v"]));
    stage.does("(() => { const it = {campaignId: 'c', experimentId: 'e', variationId: 'v2'}; it.state = it.campaign = it.decisionData = it; bridge.trackLayerDecision(it); })()");
    assert_eq!(stage.sent(), json!(["v", "v2"]));
}

#[wasm_bindgen_test]
fn what_a_polluted_prototype_lends_does_not_count() {
    let stage = Stage::ready("{}");
    stage.does("Object.prototype.isHoldback = true, Object.prototype.experimentName = 'polluted', 0");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    let properties = stage.tells("stage.sent[0][1]");
    stage.does("delete Object.prototype.isHoldback, delete Object.prototype.experimentName");
    assert_eq!(properties["experimentName"], "e");
    assert_eq!(properties.get("isHoldback"), None);
}

#[wasm_bindgen_test]
fn half_a_letter_and_a_very_long_name_are_survived() {
    let stage = Stage::ready("{}");
    stage.does(
        "bridge.trackDecision({experimentId: '\\ud800', variationId: 'v', experimentName: 'n'.repeat(1e6)})",
    );
    stage.does(
        "bridge.trackDecision({experimentId: 'e2', variationId: 'v', experimentName: '😀'.repeat(1e4)})",
    );
    assert_eq!(stage.tells("stage.sent[0][1].experimentId"), "\u{fffd}");
    assert_eq!(
        stage.tells("stage.sent.map(([, properties]) => [...properties.experimentName].length)"),
        json!([512, 512])
    );
}

#[wasm_bindgen_test]
fn names_go_to_track_as_they_came() {
    let stage = Stage::ready("{}");
    let nasty = "\"\\ \u{0}\n\u{2028}</script><img src=x onerror=alert(1)> __proto__ \u{202e}é";
    stage.does(&format!(
        "bridge.trackDecision({{experimentId: 'e', variationId: 'v', experimentName: {}}})",
        json!(nasty)
    ));
    assert_eq!(stage.tells("stage.sent[0][1].experimentName"), nasty);
}

#[wasm_bindgen_test]
fn properties_named_like_what_objects_have_are_properties() {
    let stage = Stage::ready("{}");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v', properties: JSON.parse('{\"__proto__\": \"a\", \"constructor\": \"b\"}')})");
    assert_eq!(stage.tells("Object.keys(stage.sent[0][1]).slice(0, 2)"), json!(["__proto__", "constructor"]));
    assert_eq!(stage.tells("Object.getPrototypeOf(stage.sent[0][1]) === Object.prototype"), true);
}

#[wasm_bindgen_test]
fn a_method_that_is_none_and_arguments_that_are_none_are_named() {
    let stage = Stage::ready("{}");
    let wrong = [
        ("consent", "[]", "consent `argument 1` is missing, must be true or false"),
        ("consent", "['yes']", "consent `argument 1` is \"yes\", must be true or false"),
        ("consent", "[1]", "consent `argument 1` is 1, must be true or false"),
        ("trackdecision", "[]", "`trackdecision` is not a method of decisionBridge"),
        ("__proto__", "[]", "`__proto__` is not a method of decisionBridge"),
    ];
    for (method, arguments, _) in wrong {
        stage.does(&format!("stage.method('{method}')(...{arguments})"));
    }
    stage.is_told(&wrong.map(|(.., error)| error));
}

#[wasm_bindgen_test]
fn options_of_a_page_that_throws_fall_back_one_by_one() {
    let stage = Stage::new();
    stage.does("stage.ready(), bridge.init({get eventName() { throw 1; }, maxWaitMs: '5', debug: Symbol('s'), properties: {get a() { throw 1; }, b: 1}})");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    assert_eq!(stage.sent(), json!(["v"]));
    assert_eq!(stage.tells("stage.sent[0][1].b"), 1);
    stage.is_told(&["init: option `maxWaitMs` is \"5\", must be a number of 0 to 600000"]);
}

#[wasm_bindgen_test]
fn a_second_init_warns_and_changes_nothing() {
    let stage = Stage::ready("{eventName: 'First'}");
    stage.does("bridge.init({eventName: 'Second', typo: 1})");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    assert_eq!(stage.tells("stage.sent[0][0]"), "First");
    stage.is_told(&[]);
    assert_eq!(
        stage.tells("stage.warnings"),
        json!(["[decision-bridge] init: was called before; this call changes nothing"])
    );
}

#[wasm_bindgen_test]
fn decisions_before_init_wait_for_it() {
    let stage = Stage::new();
    stage.does("stage.ready(), bridge.trackDecision({experimentId: 'e', variationId: 'a'}), bridge.trackDecision({experimentId: 'e', variationId: 'b'})");
    assert_eq!(stage.sent(), json!([]));
    stage.has_timers(0);
    stage.does("bridge.init({})");
    assert_eq!(stage.sent(), json!(["a", "b"]));
}

// Page code that calls back

#[wasm_bindgen_test]
fn a_track_that_decides_more_has_all_of_it_delivered_in_order() {
    let stage = Stage::new();
    stage.does(
        "stage.ready((event, {variationId: from}) => {
            if (from < 'd') for (const letter of ['1', '2']) bridge.trackDecision({experimentId: from + letter, variationId: String.fromCharCode(from.charCodeAt(0) + 1) + letter});
        }), bridge.init({}), bridge.trackDecision({experimentId: 'e', variationId: 'a'})",
    );
    assert_eq!(stage.sent(), json!(["a", "b1", "b2", "c1", "c2", "c1", "c2", "d1", "d2", "d1", "d2"]));
    stage.has_timers(0);
}

#[wasm_bindgen_test]
fn whatever_is_called_from_within_track_or_a_handler_works() {
    let stage = Stage::new();
    stage.does(
        "stage.ready(() => { bridge.flush(); stage.method('diagnose')(); bridge.init({}); bridge.attach('optimizelyWeb'); bridge.consent(true); stage.method('hidden')(); stage.method('shown')(); }),
         bridge.on('decision', ({variationId}) => { bridge.flush(); if (variationId === 'a') bridge.trackDecision({experimentId: 'e', variationId: 'b'}); }),
         bridge.on('delivered', ({variationId}) => { if (variationId === 'b') bridge.trackDecision({experimentId: 'e', variationId: 'c'}); }),
         bridge.init({}), bridge.trackDecision({experimentId: 'e', variationId: 'a'})",
    );
    let sent = stage.sent();
    let mut sorted: Vec<&str> = sent.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, ["a", "b", "c"]);
    assert_eq!(stage.verdicts(), json!({"delivered": 3}));
}

#[wasm_bindgen_test]
fn consent_that_is_withdrawn_within_track_stops_the_rest_at_once() {
    let stage = Stage::new();
    stage.does("bridge.init({requireConsent: true})");
    stage.does("['a', 'b', 'c'].forEach((letter) => bridge.trackDecision({experimentId: letter, variationId: letter}))");
    stage.does("stage.ready(() => bridge.consent(false)), bridge.consent(true)");
    assert_eq!(stage.sent(), json!(["a"]));
    assert_eq!(stage.verdicts(), json!({"no-consent": 3}));
    assert_eq!(stage.tells("Object.keys(localStorage).concat(Object.keys(sessionStorage))"), json!([]));
    stage.has_timers(0);
}

#[wasm_bindgen_test]
fn a_getter_that_decides_more_while_it_is_read_is_survived() {
    let stage = Stage::ready("{}");
    stage.does("bridge.trackDecision({experimentId: 'e', get variationId() { bridge.trackDecision({experimentId: 'inner', variationId: 'inner'}); return 'outer'; }})");
    assert_eq!(stage.sent(), json!(["inner", "outer"]));
}

// Page code that throws

#[wasm_bindgen_test]
fn a_track_that_throws_is_tried_again_and_what_it_throws_is_told() {
    for thrown in ["new Error('boom')", "null", "undefined", "Symbol('s')"] {
        let stage = Stage::new();
        stage.does(&format!(
            "stage.ready(() => {{ if (stage.sent.length < 3) throw {thrown}; }}), bridge.init({{}})"
        ));
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
        stage.has_timers(1);
        stage.does("stage.fire(), stage.fire()");
        assert_eq!(stage.sent(), json!(["v", "v", "v"]), "{thrown}");
        assert_eq!(stage.verdicts(), json!({"delivered": 1}), "{thrown}");
        let keys = stage.tells("new Set(stage.sent.map(([,, options]) => options.messageId)).size");
        assert_eq!(keys, 1);
    }
}

#[wasm_bindgen_test]
fn what_track_returns_may_be_anything() {
    for answer in [
        "undefined",
        "null",
        "5",
        "[]",
        "{}",
        "{then: 5}",
        "{get then() { throw 1; }}",
        "{then() { throw 1; }}",
        "stage.revoked({})",
        "Promise.resolve()",
        "Promise.reject(1)",
        "new Promise(() => {})",
    ] {
        let stage = Stage::new();
        stage.does(&format!("stage.ready(() => ({answer})), bridge.init({{}})"));
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
        assert!(stage.sent().as_array().is_some_and(|sent| !sent.is_empty()), "{answer}");
    }
}

#[wasm_bindgen_test]
fn a_promise_of_track_confirms_when_it_settles_either_way() {
    for settle in [0, 1] {
        let stage = Stage::new();
        stage.does("stage.ready(() => ({then(...both) { stage.settle = both; }})), bridge.init({})");
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
        assert_eq!(stage.verdicts(), json!({"pending": 1}));
        stage.does(&format!("stage.settle[{settle}](), stage.settle[{settle}]()"));
        assert_eq!(stage.verdicts(), json!({"delivered": 1}));
        stage.has_timers(0);
        assert_eq!(
            stage.tells("Object.keys(localStorage).filter((name) => name.includes('/out/'))"),
            json!([])
        );
    }
}

#[wasm_bindgen_test]
fn a_promise_that_settles_before_track_returns_makes_the_same_again_a_duplicate() {
    let stage = Stage::new();
    stage.does("stage.ready(() => ({then(settle) { settle(); }})), bridge.init({})");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'}), bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    assert_eq!(stage.sent(), json!(["v"]));
}

#[wasm_bindgen_test]
fn an_analytics_that_is_anything_else_is_waited_for() {
    for other in [
        "null",
        "5",
        "'text'",
        "[]",
        "{}",
        "document.createElement('div')",
        "() => 1",
        "new Proxy({}, {get() { throw 1; }})",
        "{get track() { throw 1; }}",
    ] {
        let stage = Stage::new();
        stage.does(&format!("window.analytics = {other}, bridge.init({{}})"));
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
        stage.has_timers(1);
        stage.does("stage.ready(), stage.fire()");
        assert_eq!(stage.sent(), json!(["v"]), "after {other}");
        stage.has_timers(0);
    }
}

#[wasm_bindgen_test]
fn an_analytics_whose_very_name_throws_is_waited_for() {
    let stage = Stage::new();
    stage.does("Object.defineProperty(window, 'analytics', {configurable: true, get() { throw 1; }}), bridge.init({})");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    assert_eq!(stage.verdicts(), json!({"pending": 1}));
    stage.does("delete window.analytics, stage.ready(), bridge.flush()");
    assert_eq!(stage.sent(), json!(["v"]));
}

#[wasm_bindgen_test]
fn handlers_that_throw_hinder_nobody() {
    let stage = Stage::ready("{}");
    stage.does(
        "stage.heard = [], ['decision', 'delivered', 'dropped', 'error'].forEach((event) => {
            bridge.on(event, () => { throw new Error('mine'); });
            bridge.on(event, () => { throw undefined; });
            bridge.on(event, () => stage.heard.push(event));
        }), bridge.trackDecision({experimentId: 'e', variationId: 'v'}), bridge.trackDecision({experimentId: 'e', variationId: 'v'}), bridge.trackDecision(true)",
    );
    assert_eq!(
        stage.tells("stage.heard"),
        json!(["decision", "delivered", "decision", "dropped", "decision", "error", "dropped"])
    );
    assert_eq!(stage.sent(), json!(["v"]));
}

#[wasm_bindgen_test]
fn an_optimizely_that_throws_wherever_it_is_asked_is_survived() {
    for client in [
        "{push() { throw 1; }, get() { throw 1; }}",
        "{push() {}, get: () => new Proxy({}, {get() { throw 1; }})}",
        "{push() {}, get: () => stage.revoked({})}",
        "{push() {}, get: () => ({getDecisionObject() { throw 1; }, getCampaignStates: () => { throw 1; }, getRedirectInfo: () => 5})}",
        "{push() {}, get: () => ({getCampaignStates: () => ({1: null, 2: 5, 3: {isActive: true}, 4: stage.revoked({})})})}",
        "new Proxy({}, {get() { throw 1; }})",
        "5",
        "document.createElement('div')",
    ] {
        let stage = Stage::new();
        stage.does(&format!("window.optimizely = {client}, stage.ready(), bridge.init({{}})"));
        stage.does("bridge.trackLayerDecision({campaignId: '1', experimentId: '2', variationId: '3', isHoldback: false})");
        assert_eq!(stage.sent(), json!(["3"]), "with {client}");
    }
}

// Timers

#[wasm_bindgen_test]
fn one_timer_serves_all_and_none_runs_when_nothing_is_pending() {
    let stage = Stage::new();
    stage.does("bridge.init({})");
    stage.has_timers(0);
    stage.does(
        "for (let at = 0; at < 200; at++) bridge.trackDecision({experimentId: 'e' + at, variationId: 'v'})",
    );
    stage.has_timers(1);
    let set = stage.tells("stage.set").as_u64();
    assert!(set.is_some_and(|set| set <= 2), "{set:?} timers for 200 decisions");
    for _ in 0..5 {
        assert_eq!(stage.tells("stage.fire()"), 1);
        stage.has_timers(1);
    }
    stage.does("stage.ready(), bridge.flush()");
    // On a slow machine they are handed over in several slices.
    for _ in 0..200 {
        if stage.tells("stage.sent.length") != 200 {
            stage.tells("stage.fire()");
        }
    }
    assert_eq!(stage.tells("stage.sent.length"), 200);
    stage.has_timers(0);
}

#[wasm_bindgen_test]
fn held_decisions_want_no_timer() {
    let stage = Stage::new();
    stage.does(
        "bridge.init({requireConsent: true}), bridge.trackDecision({experimentId: 'e', variationId: 'v'})",
    );
    stage.has_timers(0);
    assert_eq!(stage.tells("Object.keys(localStorage).concat(Object.keys(sessionStorage))"), json!([]));
}

#[wasm_bindgen_test]
fn a_page_that_is_hidden_for_good_has_no_timer_until_it_is_shown_again() {
    let stage = Stage::new();
    stage.does("bridge.init({}), bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    stage.does("stage.method('hidden')()");
    stage.has_timers(0);
    stage.does("stage.method('shown')()");
    stage.has_timers(1);
}

#[wasm_bindgen_test]
fn a_set_timeout_that_throws_is_survived() {
    let stage = Stage::new();
    stage.does("window.setTimeout = () => { throw new Error('patched'); }, bridge.init({})");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    stage.does("stage.ready(), bridge.flush()");
    assert_eq!(stage.sent(), json!(["v"]));
}

#[wasm_bindgen_test]
fn a_timer_that_is_an_object_or_never_fires_is_survived() {
    for timer in ["{}", "undefined", "null", "'id'"] {
        let stage = Stage::new();
        stage.does(&format!("window.setTimeout = () => ({timer}), bridge.init({{}})"));
        stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
        stage.does("stage.ready(), bridge.flush()");
        assert_eq!(stage.sent(), json!(["v"]), "with a timer that is {timer}");
    }
}

// Storage

const TWICE: &str = "[1, 2].forEach(() => bridge.trackDecision({experimentId: 'e', variationId: 'v'}))";

#[wasm_bindgen_test]
fn storage_that_is_blocked_full_or_patched_costs_no_decision_and_repeats_none() {
    for (storage, warning) in [
        (
            "() => { throw new Error('denied'); }",
            "storage is blocked: nothing can be remembered for the next page",
        ),
        ("() => null", "storage is blocked: nothing can be remembered for the next page"),
        ("() => undefined", "storage is blocked: nothing can be remembered for the next page"),
        (
            "() => ({getItem: () => null, setItem() { throw new Error('QuotaExceededError'); }, removeItem() {}})",
            "storage is full, or does not keep what is written: decisions are remembered on this page only",
        ),
        (
            "() => ({getItem: () => null, setItem() {}, removeItem() {}})",
            "storage is full, or does not keep what is written: decisions are remembered on this page only",
        ),
        (
            "() => ({getItem() { throw 1; }, setItem() { throw 1; }, removeItem() { throw 1; }})",
            "storage is full, or does not keep what is written: decisions are remembered on this page only",
        ),
        (
            "() => new Proxy({}, {get() { throw 1; }, ownKeys() { throw 1; }})",
            "storage is full, or does not keep what is written: decisions are remembered on this page only",
        ),
    ] {
        let stage = Stage::new();
        stage.does(&format!(
            "stage.storage('localStorage', {storage}), stage.storage('sessionStorage', {storage})"
        ));
        stage.does("stage.ready(), bridge.init({})");
        stage.does(TWICE);
        assert_eq!(stage.sent(), json!(["v"]), "with {storage}");
        assert_eq!(stage.verdicts(), json!({"delivered": 1, "duplicate": 1}));
        assert_eq!(stage.tells("stage.warnings"), json!([format!("[decision-bridge] {warning}")]));
    }
}

#[wasm_bindgen_test]
fn storage_that_fills_up_later_forgets_nothing_on_this_page() {
    let stage = Stage::ready("{}");
    stage.does("bridge.trackDecision({experimentId: 'e', variationId: 'a'})");
    stage.does("Storage.prototype.kept = Storage.prototype.setItem, Storage.prototype.setItem = () => { throw new Error('full'); }, 0");
    stage.does(
        "['b', 'b'].forEach((letter) => bridge.trackDecision({experimentId: 'e', variationId: letter}))",
    );
    stage.does("Storage.prototype.setItem = Storage.prototype.kept, delete Storage.prototype.kept");
    assert_eq!(stage.sent(), json!(["a", "b"]));
}

#[wasm_bindgen_test]
fn entries_of_ours_that_another_script_wrote_are_harmless() {
    for garbage in ["", "x", "1:1", "{}", "999999999999:x", "1:19:x", "\u{0}", &"9".repeat(100_000)] {
        let stage = Stage::new();
        let garbage = json!(garbage);
        stage.does(&format!(
            "['session', 'visitor', 'seen/abc', 'out/1-a/0000001', 'out/', 'left/1-a', 'left/'].forEach((name) => localStorage.setItem('decision-bridge/1/' + name, {garbage}))"
        ));
        stage.does("localStorage.setItem('theirs', 'untouched'), stage.ready(), bridge.init({})");
        stage.does(TWICE);
        assert_eq!(stage.sent(), json!(["v"]), "with {garbage}");
        assert_eq!(stage.tells("localStorage.getItem('theirs')"), "untouched");
    }
}

#[wasm_bindgen_test]
fn an_instance_that_starts_again_takes_over_what_the_dead_one_wrote_down() {
    let stage = Stage::new();
    stage.does("bridge.init({}), bridge.trackDecision({experimentId: 'e', variationId: 'v'})");
    start(1_000_000);
    stage.does("stage.ready(), bridge.init({})");
    stage.does(TWICE);
    assert_eq!(stage.sent(), json!(["v"]));
}

#[wasm_bindgen_test]
fn nothing_is_written_per_decision_but_its_mark() {
    let stage = Stage::ready("{}");
    stage.does(
        "for (let at = 0; at < 50; at++) bridge.trackDecision({experimentId: 'e' + at, variationId: 'v'})",
    );
    let seen = stage.tells(
        "Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge/1/seen/')).length",
    );
    let all = stage.tells("Object.keys(localStorage).length");
    assert_eq!((seen, all), (json!(50), json!(52)), "beside the session and the visitor");
}

// For long

#[wasm_bindgen_test]
fn thousands_of_hostile_calls_leak_nothing() {
    let stage = Stage::ready("{dedupe: 'page'}");
    let hostile = "for (let at = 0; at < 1000; at++) {
        bridge.trackDecision({experimentId: 'e' + at % 7, variationId: 'v' + at, get experimentName() { throw 1; }});
        bridge.trackDecision(at % 2 ? Symbol() : null);
        bridge.trackLayerDecision({campaignId: {}, experimentId: at});
        bridge.consent('maybe');
    }";
    stage.does(hostile);
    let size = || wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer();
    let length =
        |buffer: JsValue| Reflect::get(&buffer, &"byteLength".into()).ok().and_then(|it| it.as_f64());
    let before = length(size()).expect("a size");
    for _ in 0..3 {
        stage.does(hostile);
    }
    let grown = length(size()).expect("a size") - before;
    // A few pages are how the allocator settles; a hundred bytes per call would be eighteen.
    assert!(grown <= 4.0 * 65_536.0, "the memory grew by {grown} bytes");
    stage.does("stage.fire(), stage.fire()");
    stage.has_timers(0);
}

#[wasm_bindgen_test]
fn the_report_is_json_whatever_is_in_it() {
    let stage = Stage::ready("{writeKey: 'abcdefgh', properties: {a: '\"\\u2028'}}");
    stage.does("bridge.trackDecision({experimentId: '\"}', variationId: '\\\\', experimentName: '\\u0000'})");
    let report: Value = serde_json::from_str(&call("diagnose", JsValue::UNDEFINED, 0.0)).expect("JSON");
    assert_eq!((&report["state"], &report["options"]["writeKey"]), (&json!("running"), &json!("abcd…")));
    assert_eq!(report["destinations"][0]["state"], "ready");
}

// The two views

#[wasm_bindgen_test]
fn the_view_of_json_and_that_of_javascript_tell_the_same() {
    let _stage = Stage::new();
    let values = [
        json!(null),
        json!("text"),
        json!([1, "two", null, [3], {"id": "x", "name": "X"}, {"id": 5, "name": "five"}, {"id": null}, {"name": "no id"}]),
        json!({}),
        json!({
            "a": {"b": {"c": 1}}, "null": null, "yes": true, "no": false, "zero": 0, "list": [], "text": "", "object": {},
            "big": 9_007_199_254_740_993_u64, "huge": 1e21, "huger": 1.5e300, "tiny": 1e-7, "small": 0.000_001, "half": -2.5, "minus": -0.0,
            "f": {"$": "f"}, "nan": {"$": "dNaN"}, "infinite": {"$": "d-Infinity"}, "bigint": {"$": "g-12345678901234567890"}, "gone": {"$": "m"},
            "long": "ä".repeat(3000), "cut": format!("{}😀", "x".repeat(1999)), "control": "a\u{1d}b\u{1e}c\u{1f}d",
            "date": "2024-02-29T12:34:56.789Z", "day": "1969-12-31", "junk": "junk", "moment": 1_710_000_000_000_u64,
            "list3": [{"id": "x", "name": "X"}, {"id": 5, "name": "five"}, {"id": true}, 7, null, {"id": {"a": 1}}],
            "__proto__": "own", "x": {"name": "by argument"}, "5": "number",
            "get!state": {"getStates!": {"x": {"name": "N"}}, "object@id": {"x": {"flat": "F (x)"}}, "none!": null},
            "get!": "without a word", "many": (0..1100).map(|at| at.to_string()).collect::<Vec<_>>(),
        }),
    ];
    const PATHS: &str = "a a.b.c a.* null null.x yes no zero list list.* text text.length object object.* big huge huger tiny small half minus \
        f nan infinite bigint gone long cut control date% day% junk% moment% zero% gone% null% map% list% yes% no% text% \
        list3.*.id list3.**.name list3.?0.name list3.?1.name list3.0.name list3.9 list3.* * *.id **.name ?0.name ?1 0 4.name 9 \
        $0 $0.name $1 get!state get!state.getStates!.$0.name \
        get!state.getStates!.* get!state.object@id.$0.flat get!state.none! get! get!other f!x a!b a@b missing missing.deep.* many.*";
    let names: Vec<&str> = PATHS.split(' ').collect();
    let revive = eval("stage.real").expect("it is there").unchecked_into::<Function>();
    for value in values {
        let parsed = js_sys::JSON::parse(&value.to_string()).expect("JSON");
        let real = revive.call1(&JsValue::NULL, &parsed).expect("real");
        for args in ["x\u{1f}5", "", "nothing\u{1f}toString"] {
            // Lists have a `toString` of their own, which JSON does not know.
            if value.is_array() && args.ends_with("toString") {
                continue;
            }
            let (json, js) = (Json(value.clone()).pick(PATHS, args), real.pick(PATHS, args));
            // A method is one entry for JavaScript and several for JSON.
            let comparable = |name: &str| name != "*" || value.get("get!").is_none();
            for (at, name) in names.iter().enumerate().filter(|(_, name)| comparable(name)) {
                assert_eq!(json.at(at), js.at(at), "{name} with {args:?} in {:.60}", value.to_string());
            }
        }
        if value.get("__proto__").is_some() {
            const INHERITED: &str = "__proto__ toString constructor hasOwnProperty valueOf";
            assert_eq!(Json(value.clone()).pick(INHERITED, ""), real.pick(INHERITED, ""));
        }
        for walked in ["a.b", "get!state", "list3.0", "missing.x"] {
            let walked: &'static str = walked;
            let json = Json(value.clone()).walk(walked, "").pick("c name getStates!.x.name", "");
            assert_eq!(json, real.walk(walked, "").pick("c name getStates!.x.name", ""), "{walked}");
        }
    }
}
