//! What must hold of everything that parses foreign data, whatever that is. The fuzzer looks for
//! counterexamples; `tests/corpus.rs` tries again all that were ever found.

#![allow(dead_code, reason = "each fuzz target takes its part")]

use std::rc::Rc;
use std::str::from_utf8;

use decision_bridge::decision::{Decision, NAME_LIMIT, Text, cut};
use decision_bridge::destination::{Destination, State, event};
use decision_bridge::gate::{Consent, Facts, Marks};
use decision_bridge::json::{Fields, decimal, quoted, whole};
use decision_bridge::key::Hash;
use decision_bridge::options::{Options, QaSignal};
use decision_bridge::outbox::{Call, Effect, Input, Now, Outbox};
use decision_bridge::parcel::{Item, Parcel, unpack};
use decision_bridge::signal::{self, Shown};
use decision_bridge::source::optimizely_web::{
    Around, read_callback, read_event, read_state, redirect_referrer, visitor,
};
use decision_bridge::source::{self, Source, direct};
use decision_bridge::store::{Memory, Session, holder, item_name};
use decision_bridge::view::Picked;
use serde_json::Value;

use super::common::{AT, Json, told_of};

const DAY: f64 = 86_400_000.0;

/// What `init` is given, as JSON.
pub fn options(data: &[u8]) {
    let Some(given) = json(data) else { return };
    let mut mistakes = Vec::new();
    let options = Options::parse(&Json(given), &mut mistakes);
    for text in &mistakes {
        assert!(text.starts_with("init: "), "{text}");
        assert!(text.chars().count() < 4000, "a mistake is told in {} characters", text.chars().count());
    }
    let key = options.write_key();
    assert!(
        key.len() <= 128 && key.chars().all(|it| it.is_ascii_alphanumeric() || "_-".contains(it)),
        "{key}"
    );
    let url = options.cdn_url();
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let near = host == "localhost" || host.starts_with("127.") || rest.starts_with("[::1]");
    assert!(url.is_empty() || scheme == "https" || scheme == "http" && near, "{url}");
    assert!(!url.contains(|it: char| !it.is_ascii_graphic() || "\\\"'<>`@?#".contains(it)), "{url}");
    for (number, least, most) in [
        (options.poll_interval_ms(), 10.0, 60_000.0),
        (options.max_wait_ms(), 0.0, 600_000.0),
        (options.carry_over_ms(), 0.0, f64::MAX),
        (options.session_timeout_ms(), 1000.0, f64::MAX),
    ] {
        assert!((least..=most).contains(&number), "{number}");
    }
    assert!(is_short(options.event_name()));
    check_fields(&options.properties());
    let shown = parsed(&options.shown());
    let start: String = key.chars().take(4).collect();
    assert_eq!(shown["writeKey"].as_str().unwrap_or("…"), start + "…", "the report shortens the write key");
}

/// What experiment tools say, as the cases in `tests/fixtures` have it: each source reads it
/// through each of its entrances, wherever it came from.
pub fn decisions(data: &[u8]) {
    let Some(case) = json(data) else { return };
    let [input, client, settings] = ["input", "client", "settings"].map(|part| Json(case[part].clone()));
    let around = Around { client: &client, cookies: case["cookies"].as_str().unwrap_or_default(), at: AT };
    let mut mistakes = Vec::new();
    let mut found = Vec::new();
    for source in Source::ALL {
        match source {
            // An object, or what is told by position.
            Source::Direct => {
                for arguments in [Value::from(vec![case["input"].clone()]), case["input"].clone()] {
                    found.push(direct::read(&Json(arguments), AT, &mut mistakes));
                }
            }
            Source::OptimizelyWeb => {
                found.push(read_callback(&input, &around, &mut mistakes));
                found.push(read_event(&input, &around));
                found.extend(read_state(&around, false));
                found.extend(read_state(&around, true));
                visitor(&around);
            }
            hooked => found.extend(source::read(hooked, &input, &client, &settings, AT)),
        }
    }
    found.iter().for_each(check_decision);
}

fn check_decision(decision: &Decision) {
    for text in Text::ALL {
        assert!(text == Text::Properties || is_short(decision.get(text)), "{text:?}");
    }
    let mut fields = Fields::default();
    unpack(decision.get(Text::Properties), &mut fields);
    check_fields(&fields);
    parsed(&decision.shown());
    assert!((0.0..=AT + DAY).contains(&decision.decided_at), "decided at {}", decision.decided_at);
    if decision.refused.is_some() {
        assert!(!decision.get(Text::Refusal).is_empty(), "it says why");
        return;
    }
    assert!(!decision.experiment().is_empty() && !decision.variation().is_empty(), "{decision:?}");
    let told = event(decision, Marks::default(), &Options::default(), "2024-03-09T16:00:00.000Z");
    assert!(!told.name.is_empty() && is_short(&told.name));
    let told = parsed(&told.properties);
    assert!(
        ["experimentId", "experiment_id", "rule_key", "flag_key"]
            .iter()
            .any(|name| told[name] == decision.experiment()),
        "{told}"
    );
    let id = decision.message_id("project", "visitor", 1, "period");
    assert!(id.starts_with("db-") && id.len() <= 100, "{id}");
    // The next page reads what this one wrote down.
    let mut item = Item::new(1, decision.clone(), AT);
    item.decision.may_redirect = false;
    item.parcels.push(Parcel::new(Destination::Segment, 1, id));
    let back = Item::from_record(&item.record()).expect("a record that was just written");
    assert_eq!(told_of(&back.decision), told_of(&item.decision));
    assert_eq!((back.key, back.outcome, back.parcels), (item.key, item.outcome, item.parcels));
}

/// What lies in the browser's storage under our names, where any script of the site can write.
pub fn stored(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    if let Some(item) = Item::from_record(text) {
        let decision = &item.decision;
        assert!(!decision.experiment().is_empty() && !decision.variation().is_empty());
        assert!((1..=Destination::ALL.len()).contains(&item.parcels.len()));
        assert!(item.parcels.iter().all(|parcel| parcel.message_id.len() <= 100));
        for text in Text::ALL {
            assert!(text == Text::Properties || is_short(decision.get(text)), "{text:?}");
        }
        let again = Item::from_record(&item.record()).expect("a record that was just written");
        assert_eq!(again, item);
        // The tracker reads no record before consent.
        assert!(sent(Consent::Granted, Input::Carried(item.clone())) <= item.parcels.len());
    }
    let period = text.split(' ').next().unwrap_or_default();
    let memory = Memory::parse(text, period);
    assert_eq!(Memory::parse(&memory.entry(period), period), memory);
    let decision = super::common::direct("e", "v");
    assert_eq!(sent(Consent::Unknown, Input::Decided(1, decision.clone(), memory.clone())), 0);
    assert!(sent(Consent::Granted, Input::Decided(1, decision, memory)) <= Destination::AUTO);
    if let Some(id) = Session::running(text, AT, 1000.0) {
        assert!(!id.is_empty() && id.len() <= 64, "{id}");
        let session = Session { id: id.clone(), last: AT };
        assert_eq!(Session::running(&session.entry(), AT, 1000.0), Some(id));
    }
    if !text.contains('/') {
        assert_eq!(holder(&item_name(text, 7)), text);
    }
    holder(text);
}

/// How often something is sent until an outbox with Segment at hand asks for nothing more.
fn sent(consent: Consent, input: Input) -> usize {
    let now = Now { wall: AT, steady: 0.0 };
    let mut outbox = Outbox::new(Rc::new(Options::default()), now);
    outbox.handle(now, Input::Facts(Facts { consent, period: "s".into(), ..Facts::default() }));
    outbox.handle(now, input);
    let (mut sent, mut effects) = (0, 0);
    while let Some(effect) = outbox.poll(now) {
        effects += 1;
        assert!(effects < 1000, "the outbox never rests");
        match effect {
            Effect::Look(destination) => {
                outbox.handle(now, Input::Found(destination, State::Ready { confirms: false }));
            }
            Effect::Recall(id, destination, _) => {
                outbox.handle(now, Input::Recalled(id, destination, Memory::default()));
            }
            Effect::Send(sending) => {
                sent += 1;
                outbox.handle(now, Input::Called(sending.id, sending.destination, Call::Returned));
            }
            Effect::Store(..) | Effect::Remember(..) => {
                assert_eq!(consent, Consent::Granted, "{effect:?} without consent");
            }
            _ => {}
        }
    }
    sent
}

/// What stands in the address bar, the cookies and the tab's storage, one line each, then a QA
/// signal of the site's own; and texts in general.
pub fn signals(data: &[u8]) {
    let Ok(text) = from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (search, cookies, session, own) = (line(), line(), line(), line());
    let shown = Shown { search, cookies, session };
    let preview = signal::preview(&shown);
    check_signal(&preview, text);
    let entry = own.to_owned();
    let qa = signal::qa(&shown, &[QaSignal { cookie: own.len() % 2 == 1, entry }]);
    check_signal(&qa, text);
    assert!(
        !signal::is_forced_tracking(&qa)
            || search.contains("optimizely_force_tracking")
            || own.starts_with("optimizely")
    );
    for part in [signal::cookie(cookies, own), redirect_referrer(cookies, own), cut(text)] {
        assert!(text.contains(part), "{part} comes from nowhere");
    }
    assert!(!redirect_referrer(cookies, own).contains('"'));
    assert!(is_short(cut(text)) && text.starts_with(cut(text)));
    assert_eq!(serde_json::from_str::<Value>(&quoted(text)).ok(), Some(text.into()), "{text:?}");
    if let Some(number) = whole(text) {
        assert_eq!(whole(&decimal(number)), Some(number), "{text}");
    }
    // A separator in a text makes no two decisions one.
    let key = Hash::new().field(search).field(cookies).hex();
    let moved = Hash::new().field(&[search, cookies].concat()).field("").hex();
    assert_eq!(key == moved, cookies.is_empty(), "{search:?} {cookies:?}");
    let picked = Picked(text.to_owned());
    for place in 0..4 {
        let told = picked.at(place);
        assert!(text.contains(told.text) && told.moment() >= 0.0);
        assert!(
            told.entries().all(|(name, value)| told.text.contains(name) && told.text.contains(value.text))
        );
        assert!(told.spelled().len() <= told.text.len() + 20, "{}", told.spelled());
    }
}

fn check_signal(signal: &str, text: &str) {
    let Some((name, place)) = signal.rsplit_once(" (") else {
        assert_eq!(signal, "");
        return;
    };
    assert!(["query)", "cookie)", "sessionStorage)"].contains(&place), "{signal}");
    assert!(text.contains(name), "{signal} is not there");
}

/// Fields that go out: JSON with nothing in them but strings, numbers and booleans within the limit.
fn check_fields(fields: &Fields) {
    let json = parsed(fields);
    let entries = json.as_object().expect("an object");
    assert_eq!(entries.len(), fields.0.len(), "each name is there once");
    for (name, value) in entries {
        assert!(is_short(name), "{name}");
        assert!(
            value.as_str().is_none_or(is_short)
                && !value.is_null()
                && !value.is_array()
                && !value.is_object()
        );
    }
}

#[track_caller]
fn parsed(fields: &Fields) -> Value {
    let json = fields.json();
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"))
}

fn is_short(text: &str) -> bool {
    text.chars().count() <= NAME_LIMIT
}

fn json(data: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(data).ok()?;
    tame(&mut value);
    Some(value)
}

/// The tests' spelling of what JSON cannot say stands for something only where JavaScript has it.
fn tame(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tame),
        Value::Object(fields) => {
            fields.values_mut().for_each(tame);
            let odd = fields.get_mut("$").filter(|it| !it.as_str().is_some_and(is_special));
            if let Some(odd) = odd {
                *odd = "m".into();
            }
        }
        _ => {}
    }
}

fn is_special(text: &str) -> bool {
    let digits = text.strip_prefix('g').map(|it| it.strip_prefix('-').unwrap_or(it));
    let big = digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
    big || ["m", "f", "dNaN", "dInfinity", "d-Infinity"].contains(&text)
}
