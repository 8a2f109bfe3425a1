//! The way back: analytics events, and what Optimizely Web is told of them, verbatim.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{Json, options};
use decision_bridge::forward::commands;
use serde_json::{Value, json};

/// What is pushed to Optimizely for an event, with these options beside `to`.
#[track_caller]
fn pushed(mut given: Value, event: Value) -> String {
    given["to"] = "optimizelyWeb".into();
    commands(&Json(event), &options(json!({ "forwardEvents": given })))
}

#[track_caller]
fn tags(given: Value, event: &str, properties: Value) -> Value {
    let told = json!({"tool": "segment", "type": "track", "event": event, "properties": properties});
    let commands: Value = serde_json::from_str(&pushed(given, told)).expect("JSON");
    assert_eq!(commands.as_array().map(Vec::len), Some(1));
    assert_eq!(commands[0]["type"], "event");
    assert_eq!(commands[0]["eventName"], event);
    commands[0]["tags"].clone()
}

/// The revenue that is pushed for this one.
#[track_caller]
fn revenue(how: &str, came: Value) -> Value {
    tags(json!({"revenue": how}), "Bought", json!({"revenue": came}))["revenue"].clone()
}

#[test]
fn events_are_spelled_verbatim() {
    let page = |tool: &str, category: Value, name: Value| json!({"tool": tool, "type": "page", "category": category, "name": name, "properties": {"path": "/docs"}});
    let viewed = |names: &[&str]| {
        let each =
            |name: &&str| format!(r#"{{"type":"event","eventName":"{name}","tags":{{"path":"/docs"}}}}"#);
        format!("[{}]", names.iter().map(each).collect::<Vec<_>>().join(","))
    };
    for (event, wanted) in [
        (
            json!({"tool": "segment", "type": "track", "event": "Signed Up", "properties": {"plan": "pro", "seats": 3}}),
            r#"[{"type":"event","eventName":"Signed Up","tags":{"plan":"pro","seats":3}}]"#.to_owned(),
        ),
        (
            json!({"tool": "segment", "type": "track", "event": "cart:add:item"}),
            r#"[{"type":"event","eventName":"cart_add_item","tags":{}}]"#.to_owned(),
        ),
        (
            page("segment", json!("Docs"), json!("Intro")),
            viewed(&["Viewed Docs Page", "Viewed Docs Intro Page"]),
        ),
        (page("segment", json!(null), json!("Intro")), viewed(&["Viewed Intro Page"])),
        (page("segment", json!("Docs"), json!({"$": "m"})), viewed(&["Viewed Docs Page"])),
        (
            page("rudderstack", json!("Docs"), json!("Intro")),
            viewed(&["Viewed Docs page", "Viewed Intro page"]),
        ),
        (page("rudderstack", json!(null), json!("Intro")), viewed(&["Viewed Intro page"])),
        (page("segment", json!(null), json!(null)), String::new()),
        (page("segment", json!(""), json!("")), String::new()),
        (json!({"tool": "segment", "type": "identify", "event": "x"}), String::new()),
        (json!({"tool": "segment", "type": "track", "event": null}), String::new()),
        (json!({"tool": "segment", "type": "track", "event": {}}), String::new()),
    ] {
        assert_eq!(pushed(json!({}), event.clone()), wanted, "{event}");
    }
}

#[test]
fn only_what_was_asked_for_is_forwarded() {
    let track = json!({"tool": "segment", "type": "track", "event": "Signed Up"});
    let page = json!({"tool": "segment", "type": "page", "category": "Docs", "name": "Intro"});
    assert_eq!(pushed(json!({"track": false}), track.clone()), "");
    assert!(!pushed(json!({"namedPages": false}), page.clone()).contains("Intro"));
    assert!(!pushed(json!({"categorizedPages": false}), page.clone()).contains("Viewed Docs Page"));
    assert_eq!(pushed(json!({"namedPages": false, "categorizedPages": false}), page.clone()), "");
    for event in [track, page] {
        assert_eq!(commands(&Json(event), &options(json!({}))), "", "off by default");
    }
}

#[test]
fn tags_are_what_optimizely_takes() {
    let told = tags(
        json!({}),
        "Bought",
        json!({
            "text": "a \"b\"", "number": 1.5, "flag": true, "big": {"$": "g12345678901234567890"}, "nothing": null,
            "missing": {"$": "m"}, "list": [1], "object": {"a": 1}, "function": {"$": "f"}, "nan": {"$": "dNaN"},
            "infinite": {"$": "d-Infinity"}, "long": "x".repeat(600), "empty": "",
        }),
    );
    let wanted = json!({
        "text": "a \"b\"", "number": 1.5, "flag": true, "big": "12345678901234567890", "long": "x".repeat(512),
        "empty": "",
    });
    assert_eq!(told, wanted);
}

#[test]
fn revenue_is_a_number_whatever_it_came_as() {
    for (came, as_is, cents) in [
        (json!(49.99), json!(49.99), json!(4999)),
        (json!(5), json!(5), json!(500)),
        (json!(0.1), json!(0.1), json!(10)),
        (json!(0.290_000_000_000_000_04), json!(0.290_000_000_000_000_04), json!(29)),
        (json!(1.005), json!(1.005), json!(101)),
        (json!(19.999), json!(19.999), json!(2000)),
        (json!(-12.5), json!(-12.5), json!(-1250)),
        (json!({"$": "g12"}), json!(12), json!(1200)),
        (json!("49.99"), json!(49.99), json!(4999)),
        (json!(" 49.99 "), json!(49.99), json!(4999)),
        (json!("$9.99"), json!(9.99), json!(999)),
        (json!("$1,234.50"), json!(1234.5), json!(123_450)),
        (json!("1,234,567.8 USD"), json!(1_234_567.8), json!(123_456_780)),
        (json!("1.234,50 €"), json!(1234.5), json!(123_450)),
        (json!("1 234,50 €"), json!(1234.5), json!(123_450)),
        (json!("1\u{202f}234,50\u{a0}€"), json!(1234.5), json!(123_450)),
        (json!("CHF 1'234.50"), json!(1234.5), json!(123_450)),
        (json!("9,99 €"), json!(9.99), json!(999)),
        (json!("1,234"), json!(1234), json!(123_400)),
        (json!("1.234.567"), json!(1_234_567), json!(123_456_700)),
        (json!("Rs.500"), json!(500), json!(50_000)),
        (json!("-$5"), json!(-5), json!(-500)),
        (json!("$-5.00"), json!(-5.0), json!(-500)),
        (json!("007"), json!(7), json!(700)),
        (json!(".5"), json!(0.5), json!(50)),
    ] {
        assert_eq!(revenue("as-is", came.clone()).as_f64(), as_is.as_f64(), "{came} as it is");
        assert_eq!(revenue("cents", came.clone()), cents, "{came} in cents");
    }
}

#[test]
fn what_is_no_number_or_nothing_is_no_revenue() {
    for came in [
        json!(0),
        json!("0"),
        json!("0.00"),
        json!("$0"),
        json!(-0.0),
        json!(""),
        json!("free"),
        json!("$"),
        json!(null),
        json!(true),
        json!([49.99]),
        json!({"amount": 49.99}),
        json!({"$": "dNaN"}),
        json!({"$": "dInfinity"}),
        json!({"$": "m"}),
        json!("12 or 13"),
        json!("order no. 12345"),
        json!("1e3"),
        json!(1e300),
        json!("9".repeat(40)),
        json!("2024-03-01"),
        json!("NaN"),
    ] {
        for how in ["as-is", "cents"] {
            assert_eq!(revenue(how, came.clone()), Value::Null, "{came} {how}");
        }
    }
    assert_eq!(revenue("as-is", json!(0.004)), json!(0.004));
    assert_eq!(revenue("cents", json!(0.004)), Value::Null, "less than a cent");
}

#[test]
fn value_and_quantity_are_numbers_too_and_may_be_nothing() {
    let told = tags(
        json!({"revenue": "cents"}),
        "Bought",
        json!({"value": "$12.50", "quantity": "3", "revenue": 1, "discount": "$1"}),
    );
    assert_eq!(told, json!({"value": 12.5, "quantity": 3, "revenue": 100, "discount": "$1"}));
    assert_eq!(
        tags(json!({}), "Bought", json!({"value": 0, "quantity": "many"})),
        json!({"value": 0}),
        "they are no revenue"
    );
}

#[test]
fn revenue_may_be_left_to_some_events() {
    let only = json!({"onlyRevenueFor": ["Order Completed", "Viewed Docs Page"]});
    let properties = json!({"revenue": 5, "plan": "pro"});
    assert_eq!(tags(only.clone(), "Order Completed", properties.clone()), properties);
    assert_eq!(tags(only.clone(), "Product Added", properties.clone()), json!({"plan": "pro"}));
    assert_eq!(
        tags(json!({"onlyRevenueFor": []}), "Order Completed", properties.clone()),
        json!({"plan": "pro"})
    );
    assert_eq!(tags(json!({}), "Product Added", properties.clone()), properties, "by default all have it");
    let page = json!({"tool": "segment", "type": "page", "category": "Docs", "properties": {"revenue": 5}});
    assert!(pushed(only, page).contains(r#""revenue":5"#));
}
