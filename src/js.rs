//! The only room that speaks JavaScript: what the page may call.
//!
//! The shell (`www/decision-bridge.js`) owns `window.decisionBridge`; each of its methods comes in
//! here through [`call`], with the moment it was called.

use std::cell::{Cell, RefCell};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::decision::{Decision, Verdict, cut};
use crate::options::{Options, one_of};
use crate::source::optimizely_web::{self, attach};
use crate::source::{Source, direct};
use crate::tracker;
use crate::value::{Fields, Value, join};
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
/// and `middleware`; `host.again` says that an earlier instance on this page has died.
#[wasm_bindgen]
pub fn start(host: JsValue) {
    let again = host.get("again").is_true();
    HOST.set(host);
    tracker::wake(again);
}

/// What the shell lends under this name; all of it under the empty one.
pub fn host(name: &str) -> JsValue {
    let host = HOST.with_borrow(Clone::clone);
    if name.is_empty() { host } else { host.get(name) }
}

/// Calls a method of `window.decisionBridge` that was called, or pushed, at the moment `at` (ms
/// since the epoch). Mistakes are reported, never thrown.
#[wasm_bindgen]
pub fn call(method: JsValue, arguments: JsValue, at: f64) -> JsValue {
    let first = arguments.get("0");
    let method = method.string();
    let mut mistakes = Vec::new();
    let mut result = JsValue::UNDEFINED;
    match method.as_str() {
        "init" => {
            let options = Options::parse(&first, &mut mistakes);
            if !tracker::init(options) {
                mistakes.clear();
                tracker::warn("init: was called before; this call changes nothing");
            }
        }
        "trackLayerDecision" | "trackDecision" => track(&method, &first, at, &mut mistakes),
        "attach" => result = attach_source(&first, arguments.get("1")),
        "consent" if first.kind() == Kind::Bool => tracker::consent(first.is_true()),
        "consent" => wrong(&method, 1, &first, "true or false"),
        "flush" => tracker::look_again(),
        "diagnose" => result = page::to_js(&Value::Object(tracker::diagnose())),
        "on" => result = on(&first, arguments.get("1")),
        // What the shell itself found wrong.
        "" => mistakes.push(first.text()),
        _ => mistakes.push(join(&["`", cut(&method), "` is not a method of decisionBridge"])),
    }
    for text in mistakes {
        mistake(&text);
    }
    result
}

fn track(method: &str, call: &JsValue, at: f64, mistakes: &mut Vec<String>) {
    let layer = method == "trackLayerDecision";
    let decision = if !matches!(call.kind(), Kind::Object | Kind::Function) {
        let source = if layer { Source::OptimizelyWeb } else { Source::Direct };
        let mut decision = Decision::new(source, at);
        let fault = [method, ": argument 1 is ", &call.spelled(), ", must be an object"];
        decision.refuse(Verdict::Invalid, &join(&fault));
        decision
    } else if layer {
        attach::with_around("optimizely", at, |around| optimizely_web::read_callback(call, around, mistakes))
    } else {
        direct::read(call, at, mistakes)
    };
    tracker::decide(decision);
}

fn attach_source(kind: &JsValue, client: JsValue) -> JsValue {
    let name = kind.string();
    if name == Source::OptimizelyWeb.name() {
        return attach::attach(client);
    }
    let planned = Source::PLANNED.contains(&name.as_str());
    let wanted = if planned {
        "\"optimizelyWeb\" (it is not available in this version yet)"
    } else {
        "\"optimizelyWeb\""
    };
    wrong("attach", 1, kind, wanted);
    page::function(|_| {}).into()
}

fn on(event: &JsValue, handler: JsValue) -> JsValue {
    let name = event.string();
    let known = EVENTS.into_iter().find(|known| *known == name);
    let number = match (known, handler.dyn_ref::<Function>()) {
        (Some(known), Some(handler)) => tracker::subscribe(known, handler.clone()),
        (None, _) => {
            wrong("on", 1, event, &one_of(&EVENTS));
            0
        }
        _ => {
            wrong("on", 2, &handler, "a function");
            0
        }
    };
    let number = Cell::new(number);
    page::function(move |_| tracker::unsubscribe(number.take())).into()
}

fn wrong(method: &str, argument: u64, came: &JsValue, wanted: &str) {
    let place = [method, ": argument ", &crate::value::decimal(argument), " is ", &came.spelled()];
    mistake(&join(&[&join(&place), ", must be ", wanted]));
}

/// Reports a mistake of the page's: on the console, as an `error` event, and in the report. The
/// same mistake again is only counted.
pub fn mistake(text: &str) {
    if tracker::note_mistake(text) {
        page::say(page::Loud::Error, text);
        let mut fields = Fields::default();
        fields.text("message", text);
        tracker::tell("error", fields);
    }
}
