//! What we may ask of the page. It knows nothing of decisions. Every call can throw, be patched,
//! or call us back; so each is caught, and none is made while something of ours is borrowed.

use gloo_timers::callback::Timeout;
use js_sys::{Array, Function, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::Storage;

use crate::decision::Page;
use crate::outbox::Now;
use crate::value::Value;
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
    let line = ["[decision-bridge] ", text].concat();
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
pub fn global(name: &str) -> Option<JsValue> {
    get(&js_sys::global(), name)
}

/// `object[name]`; none when it is `undefined` or cannot be read.
pub fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    if object.is_null() || object.is_undefined() {
        return None;
    }
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined()).then_some(value)
}

/// `object[name] = value`.
pub fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// `object[name](...arguments)`; the error is what was thrown, as text.
pub fn call(object: &JsValue, name: &str, arguments: &Array) -> Result<JsValue, String> {
    let method = get(object, name).and_then(|method| method.dyn_into::<Function>().ok());
    let method = method.ok_or_else(|| [name, " is not a function"].concat())?;
    Reflect::apply(&method, object, arguments).map_err(|error| error_text(&error))
}

/// Calls a function of the page's with one argument; what it throws is lost on purpose.
pub fn invoke(function: &Function, argument: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, argument);
}

/// What was thrown, as text.
fn error_text(error: &JsValue) -> String {
    spell(error).map(|text| crate::decision::cut(&String::from(text))).unwrap_or_default()
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

/// Has `then` called when the promise settles, either way. False when `value` is
/// no promise.
pub fn on_settled(value: &JsValue, then: &JsValue) -> bool {
    let both = Array::of2(then, then);
    value.is_object()
        && get(value, "then").is_some_and(|it| it.is_function())
        && call(value, "then", &both).is_ok()
}

/// `function.bind(undefined, argument)`.
pub fn bind(function: &Function, argument: &JsValue) -> JsValue {
    call(function, "bind", &Array::of2(&JsValue::UNDEFINED, argument)).unwrap_or(JsValue::UNDEFINED)
}

/// Listens on the window, or with `document` on the document, in the capture phase.
pub fn listen(document: bool, event: &str, body: impl FnMut(JsValue) + 'static) {
    let target = if document { global("document") } else { Some(js_sys::global().into()) };
    if let Some(target) = target {
        let arguments = Array::of3(&event.into(), &function(body), &JsValue::TRUE);
        let _ = call(&target, "addEventListener", &arguments);
    }
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

/// Text of `document[name]`.
pub fn document_text(name: &str) -> String {
    let text = global("document").and_then(|document| get(&document, name));
    text.and_then(|text| text.as_string()).unwrap_or_default()
}

/// Whether a `load` event tells of a script, or of the whole page.
pub fn is_script_or_page(event: &JsValue) -> bool {
    let target = get(event, "target");
    let name = target.and_then(|target| get(&target, "nodeName")?.as_string());
    name.is_none_or(|name| name == "SCRIPT" || name == "#document")
}

/// Whether the page is being rendered before anybody asked for it.
pub fn is_prerendering() -> bool {
    let prerendering = global("document").and_then(|document| get(&document, "prerendering"));
    prerendering.is_some_and(|flag| flag.is_truthy())
}

/// Text of `location[name]`.
pub fn location(name: &str) -> String {
    let text = global("location").and_then(|location| get(&location, name));
    text.and_then(|text| text.as_string()).unwrap_or_default()
}

/// The page as it is now, without query and fragment.
pub fn here() -> Page {
    let path = location("pathname");
    Page {
        url: [&location("origin"), path.as_str()].concat(),
        path,
        title: crate::decision::cut(&document_text("title")),
    }
}

/// The query the page was loaded with, without its `?`: some tools tidy the address afterwards.
pub fn first_query() -> String {
    let entry = || {
        let arguments = Array::of1(&"navigation".into());
        let entries = call(&global("performance")?, "getEntriesByType", &arguments).ok()?;
        get(&get(&entries, "0")?, "name")?.as_string()
    };
    let url = entry().unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('#').next().unwrap_or_default().to_owned()
}

/// One of the browser's storages, with a memory of our own under it for where it is blocked, full
/// or patched.
pub struct Store {
    storage: Option<Storage>,
    memory: js_sys::Map,
}

impl Store {
    /// Opens `localStorage` or `sessionStorage`. Even naming them throws where they are blocked.
    pub fn open(name: &str) -> Store {
        let storage = global(name).filter(|storage| storage.is_object());
        Store { storage: storage.map(JsCast::unchecked_into), memory: js_sys::Map::new() }
    }

    /// A store that lives as long as the page.
    pub fn memory() -> Store {
        Store { storage: None, memory: js_sys::Map::new() }
    }

    /// Whether the browser's own storage is there.
    pub fn is_lasting(&self) -> bool {
        self.storage.is_some()
    }

    /// The entry.
    pub fn read(&self, name: &str) -> Option<String> {
        let stored = self.storage.as_ref().and_then(|storage| storage.get_item(name).ok().flatten());
        stored.or_else(|| self.memory.get(&name.into()).as_string())
    }

    /// Sets the entry. In memory too, unless it may only be kept where the next page finds it.
    pub fn write(&self, name: &str, entry: &str) {
        let kept = self.storage.as_ref().is_some_and(|storage| {
            storage.set_item(name, entry).is_ok()
                && storage.get_item(name).ok().flatten().as_deref() == Some(entry)
        });
        if !kept {
            self.memory.set(&name.into(), &entry.into());
        }
    }

    /// Removes the entry.
    pub fn remove(&self, name: &str) {
        if let Some(storage) = &self.storage {
            let _ = storage.remove_item(name);
        }
        self.memory.delete(&name.into());
    }

    /// The names of all our entries in the browser's storage, without our prefix.
    pub fn names(&self) -> Vec<String> {
        let Some(storage) = &self.storage else {
            return Vec::new();
        };
        let names = keys_of(storage).map(|names| names.iter().collect::<Vec<_>>()).unwrap_or_default();
        let ours = |name: JsValue| Some(name.as_string()?.strip_prefix(crate::store::PREFIX)?.to_owned());
        names.into_iter().filter_map(ours).collect()
    }
}

/// A loose value of the page's.
impl View for JsValue {
    fn kind(&self) -> Kind {
        if self.is_null() {
            Kind::Null
        } else if self.is_string() {
            Kind::Text
        } else if self.as_f64().is_some() {
            Kind::Number
        } else if self.as_bool().is_some() {
            Kind::Bool
        } else if self.is_bigint() {
            Kind::BigInt
        } else if self.is_function() {
            Kind::Function
        } else if is_array(self).unwrap_or(false) {
            Kind::List
        } else if self.is_object() {
            Kind::Object
        } else {
            Kind::Other
        }
    }

    fn get(&self, name: &str) -> Option<JsValue> {
        get(self, name)
    }

    fn own(&self, name: &str) -> Option<JsValue> {
        has_own(self, &name.into()).ok().filter(|own| *own).and_then(|_| get(self, name))
    }

    fn invoke(&self, name: &str, argument: Argument) -> Option<JsValue> {
        let arguments = match argument {
            Argument::None => Array::new(),
            Argument::Text(text) => Array::of1(&text.into()),
            Argument::Field(name, text) => {
                let object = Object::new();
                set(&object, name, &text.into());
                Array::of1(&object)
            }
        };
        call(self, name, &arguments).ok().filter(|result| !result.is_undefined())
    }

    fn text(&self) -> Option<String> {
        match self.kind() {
            Kind::Text => self.as_string(),
            Kind::Number | Kind::Bool | Kind::BigInt => spell(self).ok().map(String::from),
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn moment(&self) -> Option<f64> {
        let is_date = self.is_object() && get(self, "getTime").is_some();
        if !is_date && !self.is_string() {
            return self.as_f64().filter(|moment| moment.is_finite());
        }
        let moment = match is_date {
            true => call(self, "getTime", &Array::new()).ok()?.as_f64()?,
            false => js_sys::Date::parse(&self.as_string()?),
        };
        moment.is_finite().then_some(moment)
    }

    fn items(&self) -> Vec<JsValue> {
        if self.kind() != Kind::List {
            return Vec::new();
        }
        let length = get(self, "length").and_then(|length| length.as_f64()).unwrap_or_default();
        let item = |at: u32| Reflect::get_u32(self, at).unwrap_or(JsValue::UNDEFINED);
        (0..(length as u32).min(1000)).map(item).collect()
    }

    fn keys(&self) -> Vec<String> {
        let names = if self.is_object() { keys_of(self).ok() } else { None };
        names.map(|names| names.iter().filter_map(|name| name.as_string()).collect()).unwrap_or_default()
    }
}
