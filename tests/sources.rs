//! The sources: what a tool says, and the decision it comes to. The cases lie in `fixtures`, the
//! name of each is a sentence. `BLESS=1 cargo test --test sources` writes down what comes out.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{AT, Json, told_of};
use decision_bridge::decision::Decision;
use decision_bridge::source::optimizely_web::{
    Around, is_redirecting, read_callback, read_event, read_state, redirect_referrer, visitor,
};
use decision_bridge::source::{self, Source, direct};
use decision_bridge::view::{Picked, View};
use serde_json::{Value, json};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// What comes of one case: its decisions, and the mistakes that were reported.
fn outcome(case: &Value) -> Value {
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    let client = Json(case["client"].clone());
    let around = Around { client: &client, cookies: text("cookies"), at: AT };
    let (input, settings) = (Json(case["input"].clone()), Json(case["settings"].clone()));
    let mut mistakes = Vec::new();
    let decisions: Vec<Decision> = match text("entrance") {
        "callback" => vec![read_callback(&input, &around, &mut mistakes)],
        "event" => vec![read_event(&input, &around)],
        "state" => read_state(&around, false),
        "state, of redirects only" => read_state(&around, true),
        "trackDecision" => vec![direct::read(&Json(json!([case["input"]])), AT, &mut mistakes)],
        "trackDecision, by position" => vec![direct::read(&input, AT, &mut mistakes)],
        hooked => {
            let source = Source::named(hooked).unwrap_or_else(|| panic!("what entrance is {hooked:?}?"));
            source::read(source, &input, &client, &settings, AT).into_iter().collect()
        }
    };
    let mut outcome = json!({ "decisions": decisions.iter().map(told_of).collect::<Vec<_>>() });
    if !mistakes.is_empty() {
        outcome["mistakes"] = mistakes.into();
    }
    outcome
}

fn check_all(folder: &str) {
    let mut wrong = Vec::new();
    for path in cases(folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("the file");
        let mut case: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outcome = outcome(&case);
        if std::env::var_os("BLESS").is_some() {
            case["expected"] = outcome;
            fs::write(&path, serde_json::to_string_pretty(&case).expect("JSON") + "\n").expect("written");
        } else if outcome != case["expected"] {
            wrong.push(format!("{name}:\n  came {outcome}\nwanted {}", case["expected"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn optimizely_web_is_read_as_its_cases_say() {
    check_all("optimizely_web");
}

#[test]
fn optimizely_feature_experimentation_is_read_as_its_cases_say() {
    check_all("optimizely_feature");
}

/// DECISION of version 5 has no ids, that of version 6 has, and the impression is told a second
/// later.
#[test]
fn a_decision_about_a_flag_and_its_impression_are_the_same() {
    let rules = json!({"checkout": {"key": "checkout", "experimentRules": [{"id": "9", "key": "exp"}]}});
    let client = Json(json!({"getOptimizelyConfig!": {"featuresMap": rules}}));
    let decided = json!({"flag_key": "checkout", "rule_key": "exp", "variation_key": "on", "user_id": "u1"});
    let mut logged = decided.clone();
    logged["rule_type"] = "feature-test".into();
    let [decided, logged] = [decided, logged].map(|event| {
        source::read(Source::OptimizelyFeature, &Json(event), &client, &Json(json!(null)), AT)
            .expect("a decision")
    });
    assert_eq!((decided.key(), decided.outcome()), (logged.key(), logged.outcome()));
    assert_eq!((decided.refused, logged.refused), (None, None));
}

#[test]
fn statsig_is_read_as_its_cases_say() {
    check_all("statsig");
}

#[test]
fn calls_of_track_decision_are_read_as_their_cases_say() {
    check_all("direct");
}

#[test]
fn a_vs_b_is_read_as_its_cases_say() {
    check_all("avsb");
}

#[test]
fn growthbook_is_read_as_its_cases_say() {
    check_all("growthbook");
}

#[test]
fn open_feature_is_read_as_its_cases_say() {
    check_all("open_feature");
}

/// Nothing is read twice or guessed: whatever a page may put at each place, no reader panics, and
/// a decision that is not refused has an experiment and a variation.
#[test]
fn anything_at_any_place_is_survived() {
    let anything = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{1f}(1)"),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"id": {}}),
        json!({"$": "f"}),
        json!({"$": "dNaN"}),
        json!({"$": "g-1"}),
    ];
    let rich = [
        "the real callback with strings and decisionData",
        "the published guide with a bare state and numbers",
        "an event picks its experiment by id and never the first",
        "an event without names takes those of the state",
        "the state tells what is active and what redirected here",
        "the state of Performance Edge knows experiments without campaigns",
        "ids and names",
        "properties come along",
        "an assignment handler's three arguments",
        "an exposure through the callback",
        "what the tracking callback of a feature gets",
        "metadata name the experiment",
        "a flag that the site lists",
        "a flag decided by an experiment rule",
        "an impression of an experiment rule",
        "an experiment with the name of its group",
        "a parameter of a layer belongs to the experiment",
    ];
    let is_rich = |path: &PathBuf| rich.iter().any(|name| path.file_stem().is_some_and(|stem| stem == *name));
    let folders =
        ["optimizely_web", "direct", "avsb", "growthbook", "open_feature", "optimizely_feature", "statsig"];
    let paths: Vec<PathBuf> = folders.into_iter().flat_map(cases).filter(is_rich).collect();
    assert_eq!(paths.len(), rich.len());
    for path in paths {
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).expect("the file")).expect("JSON");
        let mut places = Vec::new();
        for part in ["input", "client", "settings"] {
            pointers(&case[part], &format!("/{part}"), &mut places);
        }
        for place in places {
            for value in &anything {
                let mut broken = case.clone();
                *broken.pointer_mut(&place).expect("it is there") = value.clone();
                for decision in outcome(&broken)["decisions"].as_array().expect("a list") {
                    let known = |names: &[&str]| names.iter().any(|name| decision.get(name).is_some());
                    let complete =
                        known(&["ExperimentId", "ExperimentKey"]) && known(&["VariationId", "VariationKey"]);
                    assert!(
                        complete || decision.get("refused").is_some(),
                        "{path:?} with {value} at {place}"
                    );
                }
            }
        }
    }
}

fn pointers(value: &Value, at: &str, places: &mut Vec<String>) {
    let mut inside = |name: &str, value: &Value| {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        places.push(place.clone());
        pointers(value, &place, places);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| inside(name, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| inside(&at.to_string(), value))
        }
        _ => {}
    }
}

/// A page on which nothing can be read: every look throws.
struct Locked;

impl View for Locked {
    fn pick(&self, paths: &'static str, _: &str) -> Picked {
        Picked(vec!["m"; paths.split(' ').count()].join("\x1f"))
    }

    fn walk(&self, _: &'static str, _: &str) -> Locked {
        Locked
    }
}

#[test]
fn where_nothing_can_be_read_a_decision_is_invalid_and_says_why() {
    let around = Around { client: &Locked, cookies: "", at: AT };
    let mut mistakes = Vec::new();
    for (decision, refusal) in [
        (
            read_callback(&Locked, &around, &mut mistakes),
            "trackLayerDecision: field `campaignId` is missing, must be a string or a number that is not empty",
        ),
        (
            direct::read(&Locked, AT, &mut mistakes),
            "trackDecision `argument 1` is missing, must be an object, or the id of an experiment",
        ),
        (read_event(&Locked, &around), "no variation: the visitor did not qualify"),
    ] {
        assert_eq!(told_of(&decision)["Refusal"], refusal);
    }
    assert_eq!(mistakes, [""; 0]);
    assert_eq!(read_state(&around, false), []);
    assert_eq!(visitor(&around), "");
}

#[test]
fn the_visitor_is_told_by_the_client_or_by_its_cookie() {
    let id = |client: Value, cookies: &str| visitor(&Around { client: &Json(client), cookies, at: AT });
    let cookie = "a=1; optimizelyEndUserId=oeu3";
    let both = json!({"get!visitor_id": {"randomId": "oeu1"}, "get!visitor": {"visitorId": "oeu2"}});
    assert_eq!(id(both, cookie), "oeu1");
    assert_eq!(id(json!({"get!visitor": {"visitorId": "oeu2"}}), cookie), "oeu2");
    assert_eq!(id(json!([]), cookie), "oeu3");
    assert_eq!(id(json!({}), ""), "");
}

#[test]
fn the_redirect_cookie_names_one_experiment_and_its_referrer() {
    let cookie = r#"{"r":"https://from.test/?a=b","x":"12","v":"34"}"#;
    assert!(is_redirecting(cookie, "12"));
    for other in ["1", "2", "", "123"] {
        assert!(!is_redirecting(cookie, other), "{other}");
        assert_eq!(redirect_referrer(cookie, other), "");
    }
    assert_eq!(redirect_referrer(cookie, "12"), "https://from.test/?a=b");
    assert_eq!(redirect_referrer(r#"{"x":"12"}"#, "12"), "");
    assert_eq!(redirect_referrer("12", "12"), "");
}
