//! What we may ask of the page. It knows nothing of decisions. Every call can throw, be patched,
//! or call us back; so each is caught, and none is made while something of ours is borrowed.

use gloo_timers::callback::Timeout;
use js_sys::{Array, Function, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::Storage;

use crate::decision::{Text, cut};
use crate::outbox::Now;
use crate::value::{Value, join};
use crate::view::{Argument, Kind, View};

/// A value of the page's.
pub use wasm_bindgen::JsValue;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now, catch)]
    fn performance_now() -> Result<f64, JsValue>;
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "hasOwnProperty"], js_name = call, catch)]
    fn has_own(object: &JsValue, name: &JsValue) -> Result<bool, JsValue>;
    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    fn is_array(value: &JsValue) -> Result<bool, JsValue>;
    #[wasm_bindgen(js_namespace = Object, js_name = keys, catch)]
    fn keys_of(object: &JsValue) -> Result<Array, JsValue>;
    #[wasm_bindgen(js_name = String, catch)]
    fn spell(value: &JsValue) -> Result<JsString, JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = error, catch)]
    fn console_error(text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = warn, catch)]
    fn console_warn(text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = log, catch)]
    fn console_log(text: &str) -> Result<(), JsValue>;
}

/// How loud a line on the console is.
#[derive(Clone, Copy)]
pub enum Loud {
    /// A mistake.
    Error,
    /// Something that may cost data.
    Warn,
    /// Asked for by `debug`.
    Log,
}

/// Writes a line to the console, under our name.
pub fn say(loud: Loud, text: &str) {
    let line = join(&["[decision-bridge] ", text]);
    let _ = match loud {
        Loud::Error => console_error(&line),
        Loud::Warn => console_warn(&line),
        Loud::Log => console_log(&line),
    };
}

/// Both clocks.
pub fn now() -> Now {
    let wall = js_sys::Date::now();
    Now { wall, steady: performance_now().unwrap_or(wall) }
}

/// `window[name]`.
pub fn global(name: &str) -> JsValue {
    View::get(js_sys::global().as_ref(), name)
}

/// `object[name] = value`.
#[inline(never)]
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// `object[name](...arguments)`; the error is what was thrown, as text.
#[inline(never)]
pub fn call(object: &JsValue, name: &str, arguments: &Array) -> Result<JsValue, String> {
    let method = object.get(name);
    let result = match method.dyn_ref::<Function>() {
        Some(method) => Reflect::apply(method, object, arguments),
        None => Err(JsValue::from_str("no such method")),
    };
    result.map_err(|error| error_text(&error))
}

/// Calls a function of the page's with one argument; what it throws is lost on purpose.
pub fn invoke(function: &Function, argument: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, argument);
}

/// What was thrown, as text.
fn error_text(error: &JsValue) -> String {
    spell(error).map(|text| cut(&String::from(text)).to_owned()).unwrap_or_default()
}

/// A value as the page sees it.
pub fn to_js(value: &Value) -> JsValue {
    use serde::Serialize;
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).unwrap_or(JsValue::NULL)
}

/// A function the page can call as often as it likes, for as long as it lives.
pub fn function(body: impl FnMut(JsValue) + 'static) -> Function {
    let closure: Closure<dyn FnMut(JsValue)> = Closure::new(body);
    closure.into_js_value().unchecked_into()
}

/// Has `then` called when the promise settles, either way. False when `value` is no promise.
pub fn on_settled(value: &JsValue, then: &JsValue) -> bool {
    value.is_object() && call(value, "then", &Array::of2(then, then)).is_ok()
}

/// `function.bind(undefined, argument)`.
pub fn bind(function: &Function, argument: &JsValue) -> JsValue {
    call(function, "bind", &Array::of2(&JsValue::UNDEFINED, argument)).unwrap_or(JsValue::UNDEFINED)
}

/// Listens on the window or the document, in the capture phase.
pub fn listen(target: &str, event: &str, body: impl FnMut(JsValue) + 'static) {
    let arguments = Array::of3(&event.into(), &function(body), &JsValue::TRUE);
    let _ = call(&global(target), "addEventListener", &arguments);
}

/// A timer that runs once; it stops when it is dropped.
pub type Timer = Timeout;

/// Starts a timer.
pub fn after(ms: f64, body: impl FnOnce() + 'static) -> Timer {
    Timeout::new(ms as u32, body)
}

/// 26 random digits and letters.
pub fn random() -> String {
    let digit = |_| char::from_digit((js_sys::Math::random() * 32.0) as u32, 32).unwrap_or('0');
    (0..26).map(digit).collect()
}

/// `document[name]`.
pub fn document(name: &str) -> JsValue {
    global("document").get(name)
}

/// Text of `location[name]`.
pub fn location(name: &str) -> String {
    global("location").get(name).string()
}

/// `decodeURIComponent(text)`, or the text itself where it is not well encoded.
pub fn decoded(text: String) -> String {
    let argument = Array::of1(&JsValue::from_str(&text));
    call(js_sys::global().as_ref(), "decodeURIComponent", &argument).map(|text| text.string()).unwrap_or(text)
}

/// `document.cookie`, decoded.
pub fn cookies() -> String {
    decoded(document("cookie").string())
}

/// The page as it is now, without query and fragment: one of its three texts.
pub fn here(text: Text) -> String {
    match text {
        Text::PageUrl => location("origin") + &location("pathname"),
        Text::PagePath => location("pathname"),
        _ => document("title").string(),
    }
}

/// The moment in ISO 8601.
pub fn iso(moment: f64) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(moment));
    call(&date, "toISOString", &Array::new()).map(|text| text.string()).unwrap_or_default()
}

/// Reads a JSON text.
pub fn parse(text: &str) -> JsValue {
    call(&global("JSON"), "parse", &Array::of1(&text.into())).unwrap_or(JsValue::UNDEFINED)
}

/// The query the page was loaded with, and the one it has now: some tools tidy the address.
pub fn queries() -> String {
    let entries = call(&global("performance"), "getEntriesByType", &Array::of1(&"navigation".into()));
    let url = entries.map(|entries| entries.get("0").get("name").string()).unwrap_or_default();
    let first = url.split_once('?').map_or("", |(_, query)| query);
    let first = first.split('#').next().unwrap_or_default();
    decoded(join(&[first, "&", location("search").trim_start_matches('?')]))
}

/// Whether a `load` event tells of a script, or of the whole page.
pub fn is_script_or_page(event: &JsValue) -> bool {
    let name = event.get("target").get("nodeName").string();
    name == "SCRIPT" || name == "#document" || name.is_empty()
}

/// One of the browser's storages, with a memory of our own under it for where it is blocked, full
/// or patched.
pub struct Store {
    storage: Option<Storage>,
    memory: js_sys::Map,
}

impl Store {
    /// Opens `localStorage` or `sessionStorage`; with any other name, a store that lives as long as
    /// the page. Even naming them throws where they are blocked.
    pub fn open(name: &str) -> Store {
        let storage = global(name);
        let storage = storage.is_object().then(|| storage.unchecked_into());
        Store { storage, memory: js_sys::Map::new() }
    }

    /// Whether the browser's own storage is there.
    pub fn is_lasting(&self) -> bool {
        self.storage.is_some()
    }

    /// The entry; empty when there is none.
    #[inline(never)]
    pub fn read(&self, name: &str) -> String {
        let stored = self.storage.as_ref().and_then(|storage| storage.get_item(name).ok().flatten());
        stored.unwrap_or_else(|| self.memory.get(&name.into()).string())
    }

    /// Sets the entry. Where the browser does not keep it, our memory does.
    #[inline(never)]
    pub fn write(&self, name: &str, entry: &str) {
        let kept = self.storage.as_ref().is_some_and(|storage| {
            storage.set_item(name, entry).is_ok() && storage.get_item(name).ok().flatten().is_some()
        });
        if !kept {
            self.memory.set(&name.into(), &entry.into());
        }
    }

    /// Removes the entry.
    #[inline(never)]
    pub fn remove(&self, name: &str) {
        if let Some(storage) = &self.storage {
            let _ = storage.remove_item(name);
        }
        self.memory.delete(&name.into());
    }

    /// The names of all our entries in the browser's storage, without our prefix, in alphabetical
    /// order.
    pub fn names(&self) -> Vec<String> {
        let mut ours = Vec::new();
        if let Some(storage) = &self.storage {
            let names = keys_of(storage).unwrap_or_default();
            let _ = call(&names, "sort", &Array::new());
            for name in 0..names.length() {
                let name = names.get(name).string();
                ours.extend(name.strip_prefix(crate::store::PREFIX).map(str::to_owned));
            }
        }
        ours
    }
}

/// A loose value of the page's.
impl View for JsValue {
    fn kind(&self) -> Kind {
        let tests: [(fn(&JsValue) -> bool, Kind); 8] = [
            (JsValue::is_string, Kind::Text),
            (JsValue::is_undefined, Kind::Missing),
            (JsValue::is_function, Kind::Function),
            (|value| is_array(value).unwrap_or(false), Kind::List),
            (JsValue::is_object, Kind::Object),
            (JsValue::is_null, Kind::Null),
            (|value| value.as_f64().is_some(), Kind::Number),
            (|value| value.as_bool().is_some(), Kind::Bool),
        ];
        let found = tests.iter().find(|(test, _)| test(self)).map(|(_, kind)| *kind);
        found.unwrap_or(if self.is_bigint() { Kind::BigInt } else { Kind::Missing })
    }

    #[inline(never)]
    fn get(&self, name: &str) -> JsValue {
        if self.is_object() || self.is_function() {
            Reflect::get(self, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
        } else {
            JsValue::UNDEFINED
        }
    }

    fn own(&self, name: &str) -> JsValue {
        let own = has_own(self, &name.into()).unwrap_or(false);
        if own { View::get(self, name) } else { JsValue::UNDEFINED }
    }

    #[inline(never)]
    fn invoke(&self, name: &str, argument: Argument) -> JsValue {
        let arguments = Array::new();
        match argument {
            Argument::None => {}
            Argument::Text(text) => {
                arguments.push(&text.into());
            }
            Argument::Field(name, text) => {
                let object = Object::new();
                set(&object, name, &text.into());
                arguments.push(&object);
            }
        }
        call(self, name, &arguments).unwrap_or(JsValue::UNDEFINED)
    }

    #[inline(never)]
    fn text(&self) -> String {
        match self.kind() {
            Kind::Text => self.as_string().unwrap_or_default(),
            Kind::Number | Kind::Bool | Kind::BigInt => error_text(self),
            _ => String::new(),
        }
    }

    fn number(&self) -> f64 {
        self.as_f64().unwrap_or(f64::NAN)
    }

    fn moment(&self) -> f64 {
        match self.kind() {
            Kind::Text => js_sys::Date::parse(&self.string()),
            Kind::Object => self.invoke("getTime", Argument::None).number(),
            _ => self.number(),
        }
    }

    fn items(&self) -> Vec<JsValue> {
        let mut items = Vec::new();
        if self.kind() == Kind::List {
            let length = View::get(self, "length").number().min(1000.0) as u32;
            for at in 0..length {
                items.push(Reflect::get_u32(self, at).unwrap_or(JsValue::UNDEFINED));
            }
        }
        items
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        if self.is_object() {
            let names = keys_of(self).unwrap_or_default();
            for at in 0..names.length() {
                keys.push(names.get(at).string());
            }
        }
        keys
    }
}
