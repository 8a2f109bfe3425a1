//! The only room that speaks JavaScript: what the shell calls, and (in `page`) what we ask of it.
//!
//! The shell (`www/decision-bridge.js`) owns `window.decisionBridge`; its methods come in here
//! through [`call`], with the moment they were called.

use wasm_bindgen::prelude::*;

use crate::decision::{Decision, Verdict, cut};
use crate::json::join;
use crate::options::Options;
use crate::source::{self, Source, direct, optimizely_web};
use crate::tracker;
use crate::view::{View, fault, kind};

pub mod page;

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Starts the module. Its decisions are numbered from `first` on: the instances that died on this page
/// had the numbers up to there.
#[wasm_bindgen]
pub fn start(first: u32) {
    tracker::wake(first);
}

/// Calls a method of `window.decisionBridge` that was called, or pushed, at the moment `at` (ms
/// since the epoch), or tells of something that happened on the page. Mistakes are reported, never
/// thrown. Answers with the report's JSON for `diagnose`, else with nothing.
#[wasm_bindgen]
pub fn call(method: &str, arguments: JsValue, at: f64) -> String {
    let mut mistakes = Vec::new();
    let picked = arguments.pick("0 1", "");
    let told = picked.at(0);
    let first = arguments.walk("0", "");
    let mut answer = String::new();
    match method {
        "init" => {
            let options = Options::parse(&first, &mut mistakes);
            if !tracker::init(options) {
                mistakes.clear();
                tracker::warn("init: was called before; this call changes nothing");
            }
        }
        "trackLayerDecision" | "trackDecision" => {
            let layer = method == "trackLayerDecision";
            let source = if layer { Source::OptimizelyWeb } else { Source::Direct };
            let mut decision = Decision::new(source, at);
            if !layer {
                decision = direct::read(&arguments, at, &mut mistakes);
            } else if !matches!(told.kind, kind::OBJECT | kind::FUNCTION) {
                decision.refuse(Verdict::Invalid, &fault(method, "argument 1", told, "an object"));
            } else {
                decision = tracker::around("optimizely", at, |around| {
                    optimizely_web::read_callback(&first, around, &mut mistakes)
                });
            }
            if layer {
                tracker::decide_by_callback(decision);
            } else {
                if let Some(named) = Source::named(decision.source_name()).filter(|it| *it != source) {
                    tracker::entered(named, true);
                }
                tracker::decide(decision);
            }
        }
        // A hook has something: source, event, client, settings of the source.
        "decided" => {
            let about = arguments.pick("1 2", "");
            let (event, client) = (arguments.walk("1", ""), arguments.walk("2", ""));
            match Source::named(told.string()) {
                Some(Source::OptimizelyWeb) => {
                    let client = about.at(1).string();
                    if about.at(0).is(kind::TEXT) {
                        tracker::replay(client, about.at(0).text == "initialized");
                    } else {
                        let read =
                            tracker::around(client, at, |around| optimizely_web::read_event(&event, around));
                        tracker::decide_by_event(read);
                    }
                }
                Some(source) => {
                    let settings = arguments.walk("3", "");
                    if let Some(decision) = source::read(source, &event, &client, &settings, at) {
                        tracker::entered(source, false);
                        tracker::decide(decision);
                    }
                }
                None => {}
            }
        }
        "consent" if told.is(kind::BOOL) => tracker::consent(told.is_true()),
        "consent" => mistakes.push(fault(method, "argument 1", told, "true or false")),
        "flush" => tracker::flush(),
        "look" => tracker::look_again(),
        "forward" => answer = tracker::forward(&first),
        "woken" => tracker::woken(),
        "diagnose" => answer = tracker::diagnose(),
        "confirmed" => tracker::confirmed(told.text, picked.at(1).text),
        "shown" | "hidden" | "activated" | "blocked" => tracker::happened(method, told.text),
        _ => mistakes.push(join(&["`", cut(method), "` is not a method of decisionBridge"])),
    }
    for text in mistakes {
        page::tell("error", 0, &text);
    }
    answer
}
