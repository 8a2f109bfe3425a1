//! What the tests share: the `View` of JSON values, and builders that read like English.

#![allow(dead_code, reason = "each test file takes its part")]

use std::borrow::Cow;
use std::rc::Rc;

use decision_bridge::decision::{Decision, Text};
use decision_bridge::options::Options;
use decision_bridge::parcel::unpack;
use decision_bridge::source::Source;
use decision_bridge::view::{Picked, UNIT, View};
use serde_json::{Value, json};

#[cfg(not(target_arch = "wasm32"))]
pub mod world;

/// A JSON value that is looked at as `www/page.js` looks at JavaScript's, to the letter.
///
/// What a method returns stands in the JSON under the name of its step: `"get!state": {…}`. What
/// JSON cannot say is spelled `{"$": "g123"}`: the letter of the kind, and the text.
#[derive(Clone, Debug)]
pub struct Json(pub Value);

impl View for Json {
    fn walk(&self, path: &'static str, args: &str) -> Json {
        let steps: Vec<&str> = path.split('.').collect();
        let args: Vec<&str> = args.split(UNIT).collect();
        Json(walk(&self.0, &steps, &args).map_or_else(|| json!({"$": "m"}), Cow::into_owned))
    }

    fn pick(&self, paths: &'static str, args: &str) -> Picked {
        let args: Vec<&str> = args.split(UNIT).collect();
        let picked: Vec<String> = paths.split(' ').map(|path| one(&self.0, path, &args)).collect();
        Picked(picked.join("\x1f"))
    }
}

fn one(root: &Value, path: &str, args: &[&str]) -> String {
    let steps: Vec<&str> = path.split('.').collect();
    let Some(many) = steps.iter().position(|name| name.starts_with('*')) else {
        return told(walk(root, &steps, args).as_deref());
    };
    let list = walk(root, &steps[..many], args);
    let rest = &steps[many + 1..];
    if rest.is_empty() {
        return entries(list.as_deref(), if steps[many] == "*!json" { as_json } else { told });
    }
    match list.as_deref() {
        Some(Value::Array(items)) if !items.is_empty() => {
            let text = |item: &Value| told(walk(item, rest, args).as_deref())[1..].to_owned();
            let texts: Vec<String> = items.iter().map(text).collect();
            format!("s{}", texts.join(if steps[many] == "*" { "," } else { ", " }))
        }
        _ => "m".to_owned(),
    }
}

fn walk<'a>(root: &'a Value, steps: &[&str], args: &[&str]) -> Option<Cow<'a, Value>> {
    steps.iter().try_fold(Cow::Borrowed(root), |value, name| match value {
        Cow::Borrowed(value) => step(value, name, args),
        Cow::Owned(_) => None,
    })
}

fn step<'a>(value: &'a Value, name: &str, args: &[&str]) -> Option<Cow<'a, Value>> {
    if special(value).is_some() {
        return None;
    }
    let argument = |name: &str| args.get(name[1..2].parse::<usize>().ok()?).copied();
    if name.starts_with('?') {
        let wanted = argument(name)?;
        let has_id = |item: &&Value| {
            let spelled = |name| item.get(name).map_or("undefined".into(), spelled);
            item.is_object() && (spelled("id") == wanted || item.get("key").is_some_and(|key| key == wanted))
        };
        if wanted.is_empty() {
            return None;
        }
        return value.as_array()?.iter().find(has_id).map(Cow::Borrowed);
    }
    let name = if name.starts_with('$') { argument(name)? } else { name };
    let field = name.strip_suffix('%');
    let found = match value {
        Value::Object(fields) => fields.get(field.unwrap_or(name)),
        Value::Array(items) => items.get(field.unwrap_or(name).parse::<usize>().ok()?),
        _ => None,
    }?;
    match (found, field) {
        (Value::String(text), Some(_)) => {
            Some(Cow::Owned(date(text).map_or(json!({"$": "dNaN"}), |ms| json!(ms))))
        }
        (Value::Object(_) | Value::Array(_) | Value::Bool(true), Some(_))
            if !special(found).is_some_and(|text| text.starts_with('d')) =>
        {
            None
        }
        _ => Some(Cow::Borrowed(found)),
    }
}

/// What `{"$": …}` stands for.
fn special(value: &Value) -> Option<&str> {
    value.as_object().filter(|fields| fields.len() == 1)?.get("$")?.as_str()
}

fn told(value: Option<&Value>) -> String {
    let Some(value) = value else { return "m".to_owned() };
    match value {
        _ if special(value).is_some() => special(value).unwrap_or_default().to_owned(),
        Value::Null => "n".to_owned(),
        Value::Bool(flag) => format!("b{flag}"),
        Value::Number(_) => format!("d{}", spelled(value)),
        Value::String(text) => format!("s{}", clean(text)),
        Value::Array(_) => "l".to_owned(),
        Value::Object(_) => "o".to_owned(),
    }
}

fn as_json(value: Option<&Value>) -> String {
    match value {
        Some(value) if special(value).is_none() && value.to_string().len() < 32_000 => format!("s{value}"),
        Some(value) if special(value).is_none() => "o".to_owned(),
        _ => told(value),
    }
}

fn entries(value: Option<&Value>, tell: fn(Option<&Value>) -> String) -> String {
    let kind = told(value);
    let entry = |(name, value): (String, &Value)| format!("{}\x1d{}", clean(&name), tell(Some(value)));
    let all: Vec<String> = match value {
        Some(Value::Object(fields)) if kind == "o" => {
            fields.iter().take(1000).map(|(name, value)| entry((name.clone(), value))).collect()
        }
        Some(Value::Array(items)) => {
            items.iter().take(1000).enumerate().map(|(at, item)| entry((at.to_string(), item))).collect()
        }
        _ => return kind,
    };
    kind + &all.join("\x1e")
}

/// `String(value)` of a value that is no object.
fn spelled(value: &Value) -> String {
    let Value::Number(number) = value else {
        return value.as_str().map_or(value.to_string(), str::to_owned);
    };
    let number = number.as_f64().unwrap_or(f64::NAN);
    if number == 0.0 {
        "0".to_owned()
    } else if number.abs() >= 1e21 {
        format!("{number:e}").replace('e', "e+")
    } else if number.abs() < 1e-6 {
        format!("{number:e}")
    } else {
        number.to_string()
    }
}

/// At most 2000 units of UTF-16; half a letter comes out of TextEncoder as U+FFFD.
fn clean(text: &str) -> String {
    let mut room = 2000;
    let mut cleaned = String::new();
    for letter in text.chars() {
        if letter.len_utf16() > room {
            cleaned.extend((room == 1).then_some('\u{fffd}'));
            break;
        }
        room -= letter.len_utf16();
        cleaned.push(if ('\x1d'..='\x1f').contains(&letter) { ' ' } else { letter });
    }
    cleaned
}

/// `Date.parse` of `2024-03-01` and `2024-03-01T12:00:00.000Z`.
fn date(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    // Days of the civil calendar since the epoch; the year begins in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let ms = match text.len() {
        10 => 0,
        24 => ((part(11, 13)? * 60 + part(14, 16)?) * 60 + part(17, 19)?) * 1000 + part(20, 23)?,
        _ => return None,
    };
    Some(days * 86_400_000 + ms)
}

/// The moment at which things are decided in tests, unless they say otherwise.
pub const AT: f64 = 1_710_000_000_000.0;

/// What `init` makes of these options, which have to be good.
#[track_caller]
pub fn options(given: Value) -> Rc<Options> {
    let mut mistakes = Vec::new();
    let options = Options::parse(&Json(given), &mut mistakes);
    assert_eq!(mistakes, [""; 0], "these options were meant to be good");
    Rc::new(options)
}

/// A decision of Optimizely's, told by its callback.
pub fn optimizely(experiment: &str, variation: &str) -> Decision {
    let mut decision = Decision::new(Source::OptimizelyWeb, AT);
    decision.set(Text::CampaignId, "c1");
    decision.set(Text::ExperimentId, experiment);
    decision.set(Text::VariationId, variation);
    decision
}

/// A decision told by `trackDecision`.
pub fn direct(experiment: &str, variation: &str) -> Decision {
    let mut decision = Decision::new(Source::Direct, AT);
    decision.set(Text::ExperimentKey, experiment);
    decision.set(Text::VariationKey, variation);
    decision
}

/// The decision with a text of its own.
pub fn with(mut decision: Decision, text: Text, value: &str) -> Decision {
    decision.set(text, value);
    decision
}

/// The decision, for a visitor who is held back.
pub fn held_back(mut decision: Decision) -> Decision {
    decision.holdback = true;
    decision
}

/// The decision, told by an event: Optimizely may be about to redirect for it.
pub fn by_event(mut decision: Decision) -> Decision {
    decision.may_redirect = true;
    decision
}

/// The decision, told by another source.
pub fn from(source: Source, mut decision: Decision) -> Decision {
    decision.source = source;
    decision
}

/// Everything a decision knows, as JSON; what is not known is left out.
pub fn told_of(decision: &Decision) -> Value {
    let mut all = json!({
        "source": decision.source.name(),
        "kind": format!("{:?}", decision.kind),
        "decidedAt": decision.decided_at,
    });
    for text in Text::ALL {
        let value = decision.get(text);
        if text == Text::Properties && !value.is_empty() {
            let mut fields = Default::default();
            unpack(value, &mut fields);
            all["Properties"] = serde_json::from_str(&fields.json()).unwrap_or_else(|_| value.into());
        } else if !value.is_empty() {
            all[format!("{text:?}")] = value.into();
        }
    }
    if let Some(verdict) = decision.refused {
        all["refused"] = verdict.name().into();
    }
    for (name, flag) in [("holdback", decision.holdback), ("mayRedirect", decision.may_redirect)] {
        if flag {
            all[name] = true.into();
        }
    }
    all
}
