//! Options: what comes in, what it is worth, and the exact words about what is wrong.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::Json;
use decision_bridge::destination::Destination;
use decision_bridge::options::{
    CATEGORIZED_PAGES, Case, Dedupe, NAMED_PAGES, Options, QaSignal, TRACK, Treatment, one_of,
};
use decision_bridge::source::Source;
use serde_json::{Value, json};

fn parsed(given: Value) -> (Options, Vec<String>) {
    let mut mistakes = Vec::new();
    (Options::parse(&Json(given), &mut mistakes), mistakes)
}

#[track_caller]
fn good(given: Value) -> Options {
    let (options, mistakes) = parsed(given);
    assert_eq!(mistakes, [""; 0]);
    options
}

/// The option is refused with these words, falls back to its default, and disturbs no other.
#[track_caller]
fn refuses(given: Value, mistake: &str) {
    let (options, mistakes) = parsed(given.clone());
    assert_eq!(mistakes, [mistake], "for {given}");
    assert_eq!(options, Options::default(), "for {given}");
    let mut beside = given;
    beside["eventName"] = beside.get("eventName").cloned().unwrap_or("Seen".into());
    beside["pollIntervalMs"] = beside.get("pollIntervalMs").cloned().unwrap_or(77.into());
    let (options, mistakes) = parsed(beside.clone());
    assert_eq!(mistakes, [mistake], "for {beside}");
    assert!(options.event_name() == "Seen" || options.poll_interval_ms() == 77.0);
}

/// One value of each kind, and how it is spelled.
fn one_of_each_kind() -> [(Value, &'static str); 14] {
    [
        (Value::Null, "null"),
        (json!(true), "true"),
        (json!(false), "false"),
        (json!(7.5), "7.5"),
        (json!(-1), "-1"),
        (json!({"$": "dNaN"}), "NaN"),
        (json!({"$": "dInfinity"}), "Infinity"),
        (json!({"$": "g12"}), "12n"),
        (json!("no such"), "\"no such\""),
        (json!(""), "\"\""),
        (json!("0123456789".repeat(5)), "\"0123456789012345678901234567890123456789…\""),
        (json!([]), "a list"),
        (json!({}), "an object"),
        (json!({"$": "f"}), "a function"),
    ]
}

/// Every kind of value but those is refused.
#[track_caller]
fn refuses_all_but(good: &[&str], name: &str, wanted: &str) {
    for (value, spelled) in one_of_each_kind() {
        if !good.contains(&spelled) {
            let mistake = format!("init: option `{name}` is {spelled}, must be {wanted}");
            refuses(json!({ name: value }), &mistake);
        }
    }
}

#[test]
fn source_options_are_an_object() {
    good(json!({"sourceOptions": {"openFeature": {"flags": ["a"]}}}));
    let (_, mistakes) = parsed(json!({"sourceOptions": []}));
    assert_eq!(mistakes, ["init: option `sourceOptions` is a list, must be an object"]);
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let options = good(json!({}));
    assert_eq!((options.write_key(), options.cdn_url(), options.event_name()), ("", "", ""));
    assert_eq!(options.property_case(), None);
    assert_eq!(options.properties().json(), "{}");
    assert_eq!((options.poll_interval_ms(), options.max_wait_ms()), (250.0, 5000.0));
    assert_eq!((options.carry_over_ms(), options.session_timeout_ms()), (1_800_000.0, 1_800_000.0));
    assert_eq!(
        (options.dedupe(), options.preview(), options.qa()),
        (Dedupe::Session, Treatment::Drop, Treatment::Mark)
    );
    assert_eq!((options.drops_holdback(), options.qa_signals.len()), (None, 0));
    assert!(!options.require_consent() && !options.debug());
    assert!(options.wants(Source::OptimizelyWeb) && !options.names(Source::OptimizelyWeb));
    // All but those whose queue is on nearly every page.
    assert_eq!(options.destinations().collect::<Vec<_>>(), Destination::ALL[..Destination::AUTO]);
    let named = [Destination::Ga4, Destination::Gtm];
    assert!(named.iter().all(|named| !options.destinations().any(|it| it == *named)));
    for nothing in [Value::Null, json!({"$": "m"}), json!({"writeKey": {"$": "m"}, "whatever": {"$": "m"}})] {
        assert_eq!(good(nothing), options);
    }
}

#[test]
fn options_that_are_no_object_are_refused_as_a_whole() {
    for (value, spelled) in one_of_each_kind() {
        if !["null", "an object"].contains(&spelled) {
            let (options, mistakes) = parsed(value);
            assert_eq!(mistakes, [format!("init: the options are {spelled}, must be an object")]);
            assert_eq!(options, Options::default());
        }
    }
}

#[test]
fn an_unknown_option_is_named() {
    refuses(json!({"writekey": "k"}), "init: option `writekey` is not known");
    refuses(
        json!({"sourceOptions": ["statsig"]}),
        "init: option `sourceOptions` is a list, must be an object",
    );
    refuses(json!({"": null}), "init: option `` is not known");
    refuses(json!({"constructor": 1}), "init: option `constructor` is not known");
    let long = "x".repeat(1000);
    refuses(json!({&*long: 1}), &format!("init: option `{}` is not known", &long[..512]));
}

#[test]
fn each_mistake_is_told_and_what_is_right_still_counts() {
    let (options, mistakes) = parsed(json!({
        "debug": "yes", "eventName": "Seen", "maxWaitMs": -1, "pollIntervalMs": 100, "qa": "drop", "typo": 1,
    }));
    assert_eq!(
        mistakes,
        [
            "init: option `debug` is \"yes\", must be true or false",
            "init: option `maxWaitMs` is -1, must be a number of 0 to 600000",
            "init: option `typo` is not known",
        ]
    );
    assert_eq!(
        (options.event_name(), options.poll_interval_ms(), options.qa()),
        ("Seen", 100.0, Treatment::Drop)
    );
    assert_eq!((options.debug(), options.max_wait_ms()), (false, 5000.0));
}

#[test]
fn a_write_key_is_letters_digits_and_two_signs() {
    for key in ["abcXYZ019", "a", "with_and-", &"k".repeat(128)] {
        assert_eq!(good(json!({"writeKey": key})).write_key(), key);
    }
    refuses_all_but(
        &["\"0123456789012345678901234567890123456789…\""],
        "writeKey",
        "letters, digits, _ and -",
    );
    for attack in [
        "a/../../evil",
        "a?x=1",
        "a#",
        "a b",
        "a\"><script>",
        "ключ",
        "a%2f",
        "a.b",
        "a\n",
        "a\u{0}",
        "<key>",
        "a\\b",
    ] {
        let mistake = format!("init: option `writeKey` is \"{attack}\", must be letters, digits, _ and -");
        refuses(json!({"writeKey": attack}), &mistake);
    }
    let long =
        format!("init: option `writeKey` is \"{}…\", must be letters, digits, _ and -", "k".repeat(40));
    refuses(json!({"writeKey": "k".repeat(129)}), &long);
}

#[track_caller]
fn cdn(url: &str) -> (Options, Vec<String>) {
    parsed(json!({"writeKey": "k", "cdnUrl": url}))
}

#[test]
fn a_cdn_url_is_https_or_on_this_machine() {
    for url in [
        "https://cdn.example.com",
        "https://cdn.example.com/proxy/path",
        "https://cdn.example.com:8443",
        "http://localhost",
        "http://localhost:8080/cdn",
        "http://127.0.0.1:3000",
        "http://127.1.2.3",
        "http://[::1]:9000",
        "https://[2001:db8::1]/x",
    ] {
        let (options, mistakes) = cdn(url);
        assert_eq!((options.cdn_url(), mistakes.len()), (url, 0), "{url}");
        let (options, mistakes) = cdn(&format!("{url}//"));
        assert_eq!((options.cdn_url(), mistakes.len()), (url, 0), "a slash at the end of {url} is taken off");
    }
}

#[test]
fn no_other_cdn_url_passes() {
    for url in [
        "http://cdn.example.com",
        "//cdn.example.com",
        "/proxy",
        "cdn.example.com",
        "HTTPS://cdn.example.com",
        "https:/cdn.example.com",
        "https://",
        "https:///path",
        "https://:80",
        "javascript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "data:text/javascript,alert(1)",
        "blob:https://example.com/1",
        "ftp://localhost",
        "http://localhost.evil.com",
        "http://localhost@evil.com",
        "http://127.0.0.1@evil.com",
        "http://127.0.0.1.evil.com",
        "http://127.evil.com",
        "http://127.0.0.1:80@evil.com",
        "http://127.0.0.256",
        "http://127.0.0",
        "http://128.0.0.1",
        "http://evil.com/localhost",
        "http://evil.com#localhost",
        "http://evil.com\\@localhost",
        "http://localhost\\@evil.com",
        "http://[::2]",
        "https://user:secret@example.com",
        "https://example.com/?x=1",
        "https://example.com/#x",
        "https://example.com/a b",
        "https://example.com/\u{0}",
        "https://example.com/\n",
        "https://exämple.com",
        "https://example.com/\"onload=\"",
        "https://example.com/<script>",
        "https://example.com/`",
        " https://example.com",
        "",
    ] {
        let (options, mistakes) = cdn(url);
        assert_eq!(options.cdn_url(), "", "{url}");
        assert_eq!(mistakes.len(), 1, "{url}: {mistakes:?}");
        let words = ", must be an https: URL, or http: on a loopback host, without query";
        assert!(
            mistakes[0].starts_with("init: option `cdnUrl` is \"") && mistakes[0].ends_with(words),
            "{mistakes:?}"
        );
        assert_eq!(options.write_key(), "k");
    }
    refuses_all_but(&[], "cdnUrl", "an https: URL, or http: on a loopback host, without query");
}

#[test]
fn a_cdn_url_that_is_too_long_is_refused_and_not_cut() {
    let (options, mistakes) = cdn(&format!("https://cdn.example.com/{}", "x".repeat(2000)));
    assert_eq!((options.cdn_url(), mistakes.len()), ("", 1));
}

#[test]
fn a_cdn_url_without_a_write_key_is_of_no_use() {
    let (_, mistakes) = parsed(json!({"cdnUrl": "https://cdn.example.com"}));
    assert_eq!(mistakes, ["init: option `cdnUrl` is of no use without `writeKey`"]);
}

#[test]
fn an_event_name_is_a_string_with_something_in_it() {
    assert_eq!(good(json!({"eventName": "Experiment Seen"})).event_name(), "Experiment Seen");
    assert_eq!(good(json!({"eventName": "é".repeat(600)})).event_name(), "é".repeat(512));
    refuses_all_but(
        &["\"no such\"", "\"0123456789012345678901234567890123456789…\""],
        "eventName",
        "a string that is not empty",
    );
    refuses(
        json!({"eventName": "  "}),
        "init: option `eventName` is \"  \", must be a string that is not empty",
    );
}

#[test]
fn numbers_stay_within_their_ranges() {
    for (name, wanted, least, most, read) in [
        (
            "pollIntervalMs",
            "a number of 10 to 60000",
            10.0,
            60_000.0,
            Options::poll_interval_ms as fn(&Options) -> f64,
        ),
        ("maxWaitMs", "a number of 0 to 600000", 0.0, 600_000.0, Options::max_wait_ms),
        ("carryOverMs", "a number of 0 or more", 0.0, 1e15, Options::carry_over_ms),
        ("sessionTimeoutMs", "a number of 1000 or more", 1000.0, 1e15, Options::session_timeout_ms),
    ] {
        for number in [least, most, least + 1.0] {
            assert_eq!(read(&good(json!({ name: number }))), number, "{name}");
        }
        assert_eq!(read(&good(json!({ name: least + 1.75 }))), least + 1.0, "{name} is a whole number");
        refuses_all_but(if least < 7.0 { &["7.5"] } else { &[] }, name, wanted);
        if least > 0.0 {
            let below = format!("init: option `{name}` is {}, must be {wanted}", least - 1.0);
            refuses(json!({ name: least - 1.0 }), &below);
        }
        if most < 1e15 {
            let above = format!("init: option `{name}` is {}, must be {wanted}", most + 1.0);
            refuses(json!({ name: most + 1.0 }), &above);
        }
        refuses(json!({ name: "300" }), &format!("init: option `{name}` is \"300\", must be {wanted}"));
    }
    refuses(
        json!({"pollIntervalMs": 1e12}),
        "init: option `pollIntervalMs` is 1000000000000, must be a number of 10 to 60000",
    );
}

#[test]
fn a_number_that_javascript_spells_with_an_exponent_is_not_read_by_its_first_digits() {
    for name in ["carryOverMs", "sessionTimeoutMs"] {
        let (options, _) = parsed(json!({ name: 1.5e22 }));
        let (default, least) = (Options::default(), 1e21);
        assert!(
            options == default || options.carry_over_ms().max(options.session_timeout_ms()) >= least,
            "{name}"
        );
    }
    let (options, _) = parsed(json!({"maxWaitMs": 2.5e-7}));
    assert!([0.0, 5000.0].contains(&options.max_wait_ms()), "{}", options.max_wait_ms());
}

#[test]
fn choices_are_listed() {
    let dedupe = "\"session\" or \"page\" or \"tab\" or \"visitor\" or \"none\"";
    let treatment = "\"drop\" or \"mark\" or \"send\"";
    refuses_all_but(&[], "dedupe", dedupe);
    refuses_all_but(&[], "preview", treatment);
    refuses_all_but(&[], "qa", treatment);
    refuses_all_but(&[], "holdback", "\"auto\" or \"drop\" or \"send\"");
    refuses_all_but(&[], "propertyCase", "\"auto\" or \"camelCase\" or \"snake_case\"");
    for (name, choice) in [
        ("session", Dedupe::Session),
        ("page", Dedupe::Page),
        ("tab", Dedupe::Tab),
        ("visitor", Dedupe::Visitor),
        ("none", Dedupe::None),
    ] {
        assert_eq!(good(json!({"dedupe": name})).dedupe(), choice);
    }
    for (name, choice) in [("drop", Treatment::Drop), ("mark", Treatment::Mark), ("send", Treatment::Send)] {
        assert_eq!(good(json!({"preview": name})).preview(), choice);
        assert_eq!(good(json!({"qa": name})).qa(), choice);
    }
    for (name, choice) in [("auto", None), ("drop", Some(true)), ("send", Some(false))] {
        assert_eq!(good(json!({"holdback": name})).drops_holdback(), choice);
    }
    for (name, choice) in
        [("auto", None), ("camelCase", Some(Case::Camel)), ("snake_case", Some(Case::Snake))]
    {
        assert_eq!(good(json!({"propertyCase": name})).property_case(), choice);
    }
    refuses(json!({"dedupe": "Session"}), &format!("init: option `dedupe` is \"Session\", must be {dedupe}"));
}

#[test]
fn flags_are_booleans_and_nothing_like_them() {
    for (name, read) in [
        ("requireConsent", Options::require_consent as fn(&Options) -> bool),
        ("debug", Options::debug),
        ("identify", Options::identify),
        ("alias", |options| shown(options)["alias"] == true),
    ] {
        assert!(read(&good(json!({ name: true }))));
        assert!(!read(&good(json!({ name: false }))));
        refuses_all_but(&["true", "false"], name, "true or false");
        refuses(
            json!({ name: "true" }),
            &format!("init: option `{name}` is \"true\", must be true or false"),
        );
        refuses(json!({ name: 1 }), &format!("init: option `{name}` is 1, must be true or false"));
    }
}

#[test]
fn properties_are_strings_numbers_and_booleans() {
    let options = good(json!({"properties": {
        "a": "text \"quoted\"\n", "b": 1.5, "c": true, "d": -2, "e": "", "z": {"$": "m"},
    }}));
    let json = r#"{"a":"text \"quoted\"\u000a","b":1.5,"c":true,"d":-2,"e":""}"#;
    assert_eq!(options.properties().json(), json);
    refuses_all_but(&["an object"], "properties", "an object");
    for (value, spelled) in one_of_each_kind() {
        let plain = ["true", "false", "7.5", "-1", "null"].contains(&spelled) || spelled.starts_with('"');
        if !plain {
            let wanted = "a string, a number or a boolean";
            let mistake = format!("init: option `properties.bad` is {spelled}, must be {wanted}");
            refuses(json!({"properties": {"bad": value.clone()}}), &mistake);
            let (options, _) = parsed(json!({"properties": {"bad": value, "good": 1}}));
            assert_eq!(options.properties().json(), r#"{"good":1}"#);
        }
    }
}

#[test]
fn properties_are_4096_bytes_at_most() {
    let long = "x".repeat(500);
    let given: Vec<_> = (0..20).map(|number| (format!("p{number:02}"), json!(long))).collect();
    let (options, mistakes) = parsed(json!({"properties": serde_json::Map::from_iter(given)}));
    assert_eq!(options.properties().0.len(), 8);
    assert_eq!(mistakes, ["init: option `properties` is longer than 4096 bytes, the rest is left out"]);
}

#[test]
fn names_of_properties_may_be_what_objects_have_anyway() {
    let options = good(json!({"properties": {"__proto__": "a", "constructor": "b", "toString": "c"}}));
    assert_eq!(options.properties().json(), r#"{"__proto__":"a","constructor":"b","toString":"c"}"#);
}

#[test]
fn qa_signals_are_lists_of_names_or_pairs() {
    let options = good(json!({"qaSignals": {"params": ["qa", "mode=test"], "cookies": ["team"]}}));
    let signal = |cookie, entry: &str| QaSignal { cookie, entry: entry.to_owned() };
    assert_eq!(options.qa_signals, [signal(true, "team"), signal(false, "qa"), signal(false, "mode=test")]);
    assert_eq!(good(json!({"qaSignals": {}})).qa_signals, []);
    refuses_all_but(&["an object", "null", "false"], "qaSignals", "an object");
    for part in ["params", "cookies"] {
        let wanted = "a list of names or name=value pairs";
        for (value, spelled) in one_of_each_kind() {
            if spelled != "a list" {
                let mistake = format!("init: option `qaSignals.{part}` is {spelled}, must be {wanted}");
                refuses(json!({"qaSignals": {part: value.clone()}}), &mistake);
            }
            if !spelled.starts_with('"') || spelled == "\"\"" {
                let mistake = format!("init: option `qaSignals.{part}` is {spelled}, must be {wanted}");
                refuses(json!({"qaSignals": {part: [value]}}), &mistake);
            }
        }
    }
    refuses(json!({"qaSignals": {"param": ["qa"]}}), "init: option `qaSignals.param` is not known");
}

#[test]
fn sources_are_known_or_a_mistake() {
    // The first is told by calls only.
    let wanted = one_of(&Source::ALL.map(Source::name)[1..]);
    let auto = good(json!({"sources": "auto"}));
    assert_eq!(auto, Options::default());
    let named = good(json!({"sources": ["optimizelyWeb"]}));
    assert!(named.wants(Source::OptimizelyWeb) && named.names(Source::OptimizelyWeb));
    assert!(!good(json!({"sources": []})).wants(Source::OptimizelyWeb), "an empty list asks for none");
    refuses_all_but(&["a list"], "sources", "\"auto\" or a list");
    for (value, spelled) in one_of_each_kind() {
        let mistake = format!("init: option `sources[0]` is {spelled}, must be {wanted}");
        refuses(json!({"sources": [value]}), &mistake);
    }
    let (options, mistakes) = parsed(json!({"sources": ["optimizelyWeb", "statsik", "optimizelyWeb"]}));
    assert_eq!(mistakes, [format!("init: option `sources[1]` is \"statsik\", must be {wanted}")]);
    assert!(options.names(Source::OptimizelyWeb), "the good ones count");
}

#[test]
fn destinations_are_known_or_a_mistake() {
    assert_eq!(good(json!({"destinations": "auto"})), Options::default());
    assert_eq!(good(json!({"destinations": ["segment"]})).destinations().count(), 1);
    assert_eq!(good(json!({"destinations": []})).destinations().count(), 0);
    refuses_all_but(&["a list"], "destinations", "\"auto\" or a list");
    let (options, mistakes) = parsed(json!({"destinations": ["segment", "segmnt"]}));
    let wanted = one_of(&Destination::ALL.map(Destination::name));
    assert_eq!(mistakes, [format!("init: option `destinations[1]` is \"segmnt\", must be {wanted}")]);
    assert_eq!(options.destinations().count(), 1);
}

/// The options in force, as the report shows them.
fn shown(options: &Options) -> Value {
    serde_json::from_str(&options.shown().json()).expect("JSON")
}

#[test]
fn what_is_said_about_a_part_is_an_object_or_asks_for_nothing() {
    for name in ["statsig", "destinationOptions", "forwardEvents"] {
        refuses_all_but(&["an object", "null", "false"], name, "an object");
        for nothing in [json!(false), Value::Null, json!({"$": "m"})] {
            assert_eq!(good(json!({ name: nothing })), Options::default());
        }
    }
    for name in ["segment", "amplitude"] {
        let mistake = format!("init: option `destinationOptions.{name}` is 7, must be an object");
        refuses(json!({"destinationOptions": {name: 7}}), &mistake);
        assert_eq!(good(json!({"destinationOptions": {name: {}}})), Options::default());
    }
    refuses_all_but(&["an object"], "sourceOptions", "an object");
}

#[test]
fn an_unknown_option_of_a_part_is_named_in_full() {
    for (given, name) in [
        (json!({"statsig": {"identify": true}}), "statsig.identify"),
        (json!({"forwardEvents": {"to": "optimizelyWeb", "pages": true}}), "forwardEvents.pages"),
        (json!({"destinationOptions": {"segmnt": {}}}), "destinationOptions.segmnt"),
        (json!({"destinationOptions": {"segment": {"traits": {}}}}), "destinationOptions.segment.traits"),
        (json!({"destinationOptions": {"segment.context": {}}}), "destinationOptions.segment.context"),
        (json!({"statsig.identity": true}), "statsig.identity"),
        (json!({"sourceOptions": {"statsik": {}}}), "sourceOptions.statsik"),
    ] {
        let (_, mistakes) = parsed(given);
        assert_eq!(mistakes, [format!("init: option `{name}` is not known")]);
    }
}

#[test]
fn each_option_of_statsig_is_checked() {
    let options = good(json!({"statsig": {
        "identity": true, "customIDs": {"company": "7", "shop": 12}, "custom": {"plan": "pro", "beta": true},
        "environment": "staging",
    }}));
    let told = json!({
        "identity": true, "customIDs": {"company": "7", "shop": 12}, "custom": {"plan": "pro", "beta": true},
        "environment": "staging",
    });
    assert_eq!(shown(&options)["statsig"], told);
    for (given, mistake) in [
        (json!({"identity": "yes"}), "`statsig.identity` is \"yes\", must be true or false"),
        (json!({"customIDs": ["company", "7"]}), "`statsig.customIDs` is a list, must be an object"),
        (
            json!({"customIDs": {"company": {}}}),
            "`statsig.customIDs.company` is an object, must be a string, a number or a boolean",
        ),
        (
            json!({"custom": {"plan": [1]}}),
            "`statsig.custom.plan` is a list, must be a string, a number or a boolean",
        ),
        (json!({"environment": ""}), "`statsig.environment` is \"\", must be a string that is not empty"),
    ] {
        refuses(json!({"statsig": given}), &format!("init: option {mistake}"));
    }
}

#[test]
fn events_are_forwarded_where_the_page_says_to() {
    let forwards = |options: &Options| [TRACK, NAMED_PAGES, CATEGORIZED_PAGES].map(|it| options.forwards(it));
    assert_eq!(forwards(&good(json!({}))), [false; 3]);
    let options = good(json!({"forwardEvents": {"to": "optimizelyWeb"}}));
    assert_eq!(forwards(&options), [true; 3], "all of them");
    assert_eq!((options.revenue_in_cents(), &options.only_revenue_for), (false, &None));
    let options = good(json!({"forwardEvents": {
        "to": "optimizelyWeb", "track": false, "namedPages": true, "categorizedPages": false, "revenue": "cents",
        "onlyRevenueFor": ["Order Completed"],
    }}));
    assert_eq!(forwards(&options), [false, true, false]);
    assert!(options.revenue_in_cents());
    assert_eq!(options.only_revenue_for, Some(vec!["Order Completed".to_owned()]));
    let none = good(json!({"forwardEvents": {"to": "optimizelyWeb", "onlyRevenueFor": []}}));
    assert_eq!(none.only_revenue_for, Some(vec![]), "an empty list asks for none");
}

#[test]
fn each_option_of_forwarding_is_checked() {
    let to = "init: option `forwardEvents.to` is";
    refuses(json!({"forwardEvents": {}}), &format!("{to} missing, must be \"optimizelyWeb\""));
    refuses(json!({"forwardEvents": {"to": null}}), &format!("{to} null, must be \"optimizelyWeb\""));
    refuses(json!({"forwardEvents": {"to": ""}}), &format!("{to} \"\", must be \"optimizelyWeb\""));
    refuses(json!({"forwardEvents": {"to": "vwo"}}), &format!("{to} \"vwo\", must be \"optimizelyWeb\""));
    for (given, mistake) in [
        (json!({"track": 1}), "track` is 1, must be true or false"),
        (json!({"namedPages": null}), "namedPages` is null, must be true or false"),
        (json!({"categorizedPages": "all"}), "categorizedPages` is \"all\", must be true or false"),
        (json!({"revenue": "euros"}), "revenue` is \"euros\", must be \"as-is\" or \"cents\""),
        (json!({"onlyRevenueFor": "Order"}), "onlyRevenueFor` is \"Order\", must be a list of event names"),
        (json!({"onlyRevenueFor": [7]}), "onlyRevenueFor` is 7, must be a list of event names"),
    ] {
        let mut forward = given;
        forward["to"] = "optimizelyWeb".into();
        let (options, mistakes) = parsed(json!({"forwardEvents": forward}));
        assert_eq!(mistakes, [format!("init: option `forwardEvents.{mistake}")]);
        assert_eq!(options, good(json!({"forwardEvents": {"to": "optimizelyWeb"}})), "the default counts");
    }
}

#[test]
fn context_and_integrations_of_segment_are_carried_as_they_are() {
    let options = good(json!({"destinationOptions": {"segment": {
        "context": {"app": {"name": "shop", "tags": [1, "two", null]}, "ip": "0.0.0.0"},
        "integrations": {"All": false, "Amplitude": {"session_id": 7}, "gone": {"$": "m"}},
    }}}));
    assert_eq!(
        options.segment_context().json(),
        r#"{"app":{"name":"shop","tags":[1,"two",null]},"ip":"0.0.0.0"}"#
    );
    assert_eq!(options.segment_integrations().json(), r#"{"All":false,"Amplitude":{"session_id":7}}"#);
    for part in ["context", "integrations"] {
        let name = format!("init: option `destinationOptions.segment.{part}");
        refuses(
            json!({"destinationOptions": {"segment": {part: []}}}),
            &format!("{name}` is a list, must be an object"),
        );
        for (value, spelled) in [
            (json!({"$": "f"}), "a function"),
            (json!({"$": "g7"}), "7n"),
            (json!("x".repeat(32_000)), "an object"),
        ] {
            refuses(
                json!({"destinationOptions": {"segment": {part: {"bad": value}}}}),
                &format!("{name}.bad` is {spelled}, must be what JSON can carry"),
            );
        }
    }
}

#[test]
fn amplitude_may_be_given_another_event() {
    let given = |name: Value| json!({"destinationOptions": {"amplitude": {"exposureEvent": name}}});
    assert_eq!(good(given(json!("$exposure"))).exposure_event(), "$exposure");
    refuses(
        given(json!(7)),
        "init: option `destinationOptions.amplitude.exposureEvent` is 7, must be a string that is not empty",
    );
}

#[test]
fn options_of_a_source_are_its_own() {
    let options = good(json!({"sourceOptions": {"optimizelyWeb": {"any": {"thing": [1]}}}}));
    assert_eq!(shown(&options)["sourceOptions"], json!({"optimizelyWeb": {"any": {"thing": [1]}}}));
}

#[test]
fn the_report_shows_the_options_in_force_and_no_secret() {
    let options = good(json!({
        "writeKey": "abcdefghijkl", "cdnUrl": "https://cdn.test/", "dedupe": "tab", "qa": "send",
        "properties": {"site": "shop"}, "qaSignals": {"params": ["qa"]}, "sources": ["optimizelyWeb"], "maxWaitMs": 1,
    }));
    let shown: Value = serde_json::from_str(&options.shown().json()).expect("JSON");
    assert_eq!(
        shown,
        json!({
            "writeKey": "abcd…", "cdnUrl": "https://cdn.test", "eventName": null, "propertyCase": "auto",
            "properties": {"site": "shop"}, "sources": ["optimizelyWeb"],
            "destinations": ["segment", "amplitude", "rudderstack", "mixpanel", "posthog"],
            "pollIntervalMs": 250, "maxWaitMs": 1, "carryOverMs": 1_800_000, "consentFrom": [], "consentCategory": null, "consentDefault": "hold", "dedupe": "tab",
            "sessionTimeoutMs": 1_800_000, "preview": "drop", "qa": "send",
            "qaSignals": {"params": ["qa"], "cookies": []}, "holdback": "auto", "requireConsent": false,
            "debug": false, "identify": false, "alias": false, "sourceOptions": {},
            "destinationOptions": {
                "segment": {"context": {}, "integrations": {}}, "amplitude": {"exposureEvent": null},
            },
            "statsig": {"identity": false, "customIDs": {}, "custom": {}, "environment": null},
            "forwardEvents": {
                "to": null, "track": true, "namedPages": true, "categorizedPages": true, "revenue": "as-is",
                "onlyRevenueFor": null,
            },
        })
    );
    assert_eq!(
        serde_json::from_str::<Value>(&Options::default().shown().json()).expect("JSON")["writeKey"],
        Value::Null
    );
}

#[test]
fn consent_tools_are_one_or_a_list_and_whoever_names_any_is_held_until_they_answer() {
    assert!(!good(json!({})).require_consent());
    for given in [json!("tcf"), json!(["gpc", "oneTrust"])] {
        assert!(good(json!({"consentFrom": given, "requireConsent": false})).require_consent());
    }
    for nothing in [json!(null), json!(false)] {
        assert_eq!(good(json!({ "consentFrom": nothing })), Options::default());
    }
    let wanted = "\"googleConsentMode\" or \"oneTrust\" or \"cookiebot\" or \"tcf\" or \"segment\" or \"gpc\" or \"dnt\"";
    for (given, part, came) in [
        (json!("tfc"), "consentFrom", "\"tfc\""),
        (json!(1), "consentFrom", "1"),
        (json!(["tcf", "x"]), "consentFrom[1]", "\"x\""),
    ] {
        let (options, mistakes) = parsed(json!({ "consentFrom": given }));
        assert_eq!(mistakes, [format!("init: option `{part}` is {came}, must be {wanted}")]);
        assert!(options.require_consent(), "a mistake here sends nothing without consent");
    }
    let shown = good(json!({"consentFrom": ["dnt", "tcf"]})).shown().json();
    assert!(shown.contains("\"consentFrom\":[\"tcf\",\"dnt\"]"), "{shown}");
}
