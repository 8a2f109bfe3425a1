//! The only room that speaks JavaScript: what the page may call.
//!
//! The shell (`www/decision-bridge.js`) owns `window.decisionBridge`; each of its methods comes in
//! here through [`call`], with the moment it was called.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::decision::{Decision, Refusal};
use crate::options::Options;
use crate::source::{Source, direct, optimizely_web};
use crate::tracker;
use crate::value::Value;
use crate::view::{Kind, View};

pub mod page;

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    static HOST: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
}

/// The events that `on` knows.
const EVENTS: [&str; 4] = ["decision", "delivered", "dropped", "error"];

/// Starts the module. `host` lends it what has to be plain JavaScript: `loadSegment(writeKey, cdn)`
/// and `middleware`.
#[wasm_bindgen]
pub fn start(host: JsValue) {
    HOST.set(host);
    tracker::wake();
}

/// What the shell lends under this name.
pub fn host(name: &str) -> Option<JsValue> {
    let host = HOST.with_borrow(Clone::clone);
    page::get(&host, name)
}

/// Calls a method of `window.decisionBridge` that was called, or pushed, at the moment `at` (ms
/// since the epoch). Mistakes are reported, never thrown.
#[wasm_bindgen]
pub fn call(method: JsValue, arguments: JsValue, at: f64) -> JsValue {
    let argument = |index: &str| page::get(&arguments, index);
    let method = method.as_string().unwrap_or_default();
    match method.as_str() {
        "init" => init(argument("0")),
        "trackLayerDecision" => track_layer_decision(argument("0"), at),
        "trackDecision" => track_decision(argument("0"), at),
        "attach" => return attach(argument("0"), argument("1")),
        "consent" => match argument("0").and_then(|granted| granted.flag()) {
            Some(granted) => tracker::consent(granted),
            None => {
                let came = spelled(argument("0"));
                mistake(&["consent: argument 1 is ", &came, ", must be true or false"].concat());
            }
        },
        "flush" => tracker::look_again(),
        "diagnose" => return page::to_js(&tracker::diagnose()),
        "on" => return on(argument("0"), argument("1")),
        // What the shell itself found wrong.
        "" => mistake(&spelled_text(argument("0"))),
        _ => mistake(&["`", &crate::decision::cut(&method), "` is not a method of decisionBridge"].concat()),
    }
    JsValue::UNDEFINED
}

fn init(options: Option<JsValue>) {
    let mut mistakes = Vec::new();
    let options = Options::parse(options.as_ref(), &mut mistakes);
    if tracker::init(options) {
        mistakes.iter().for_each(|text| mistake(text));
    } else {
        tracker::warn("init: was called before; this call changes nothing");
    }
}

fn track_layer_decision(decision: Option<JsValue>, at: f64) {
    let Some(decision) = object("trackLayerDecision", decision, Source::OptimizelyWeb, at) else {
        return;
    };
    let mut mistakes = Vec::new();
    let read = optimizely_web::attach::with_around("optimizely", |around| {
        let around = optimizely_web::Around { at, ..*around };
        optimizely_web::read_callback(&decision, &around, &mut mistakes)
    });
    mistakes.iter().for_each(|text| mistake(text));
    tracker::decide(read);
}

fn track_decision(decision: Option<JsValue>, at: f64) {
    let Some(decision) = object("trackDecision", decision, Source::Direct, at) else {
        return;
    };
    let mut mistakes = Vec::new();
    let read = direct::read(&decision, at, &mut mistakes);
    mistakes.iter().for_each(|text| mistake(text));
    tracker::decide(read);
}

/// A decision has to be an object. Anything else counts as an invalid one.
fn object(method: &str, decision: Option<JsValue>, source: Source, at: f64) -> Option<JsValue> {
    if decision.as_ref().is_some_and(|decision| matches!(decision.kind(), Kind::Object | Kind::Function)) {
        return decision;
    }
    let fault = [method, ": argument 1 is ", &spelled(decision), ", must be an object"].concat();
    let refusal = Some(Refusal::Invalid(fault));
    tracker::decide(Decision { source, decided_at: at, refusal, ..Decision::default() });
    None
}

fn attach(kind: Option<JsValue>, client: Option<JsValue>) -> JsValue {
    let name = kind.as_ref().and_then(|kind| kind.string()).unwrap_or_default();
    if name == Source::OptimizelyWeb.name() {
        return optimizely_web::attach::attach(client);
    }
    let state = if Source::PLANNED.contains(&name.as_str()) {
        ", which is not available in this version yet"
    } else {
        ", which is not a known source"
    };
    mistake(&["attach: argument 1 is ", &spelled(kind), state].concat());
    page::function(|_| {}).into()
}

fn on(event: Option<JsValue>, handler: Option<JsValue>) -> JsValue {
    let name = event.as_ref().and_then(|event| event.string()).unwrap_or_default();
    let known = EVENTS.into_iter().find(|known| *known == name);
    let function = handler.clone().and_then(|handler| handler.dyn_into::<Function>().ok());
    let number = match (known, function) {
        (Some(known), Some(handler)) => tracker::subscribe(known, handler),
        (None, _) => {
            let events: Vec<String> = EVENTS.iter().map(|known| ["\"", known, "\""].concat()).collect();
            mistake(&["on: argument 1 is ", &spelled(event), ", must be ", &events.join(" or ")].concat());
            None
        }
        (_, None) => {
            mistake(&["on: argument 2 is ", &spelled(handler), ", must be a function"].concat());
            None
        }
    };
    let number = Rc::new(Cell::new(number));
    page::function(move |_| {
        if let Some(number) = number.take() {
            tracker::unsubscribe(number);
        }
    })
    .into()
}

/// Reports a mistake of the page's: on the console, as an `error` event, and in the report. The
/// same mistake again is only counted.
pub fn mistake(text: &str) {
    if tracker::note_mistake(text) {
        page::say(page::Loud::Error, text);
        tracker::tell("error", &vec![("message".to_owned(), Value::text(text))]);
    }
}

fn spelled(value: Option<JsValue>) -> String {
    value.map_or("missing".to_owned(), |value| value.spelled())
}

fn spelled_text(value: Option<JsValue>) -> String {
    value.and_then(|value| value.text()).unwrap_or_default()
}
