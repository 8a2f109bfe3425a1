//! The half of Optimizely Web that touches the page: finds the client, replays what it decided
//! before we came, and listens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object};

use super::{Around, read_event, read_state};
use crate::js::page::{self, JsValue};
use crate::options::Options;
use crate::source::Source;
use crate::tracker;
use crate::view::{Kind, View};

/// The names of the client: Optimizely Web's, and Performance Edge's.
const CLIENTS: [&str; 2] = ["optimizely", "optimizelyEdge"];

thread_local! {
    static HOOKED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Which of the clients we listen to.
pub fn hooked() -> Vec<&'static str> {
    HOOKED.with_borrow(Clone::clone)
}

/// Looks for the clients that are on the page now, and listens to the new ones. Where the page
/// named Optimizely as a source itself, it may come later: its command queue is made, as
/// Optimizely's own documentation has pages do.
pub fn find(options: &Options) {
    if !options.wants(Source::OptimizelyWeb) {
        return;
    }
    for name in CLIENTS {
        let mut client = page::global(name);
        let comes = name == "optimizely" && options.names(Source::OptimizelyWeb);
        if client.kind() == Kind::Missing && comes {
            client = Array::new().into();
            page::set(js_sys::global().as_ref(), name, &client);
        }
        if matches!(client.kind(), Kind::List | Kind::Object) {
            hook(name, &client);
        }
    }
}

/// Listens to a client the page hands over, or to the one that is there. The function that comes
/// back stops it.
pub fn attach(client: JsValue) -> JsValue {
    let client = if client.kind() == Kind::Missing { page::global("optimizely") } else { client };
    let on = match client.kind() {
        Kind::List | Kind::Object => hook("optimizely", &client),
        _ => {
            crate::js::mistake("attach: there is no window.optimizely, and argument 2 is no client");
            None
        }
    };
    page::function(move |_| {
        if let Some(on) = &on {
            on.set(false);
        }
    })
    .into()
}

/// Listens to a client, once. The answer stops it when set to false.
fn hook(name: &'static str, client: &JsValue) -> Option<Rc<Cell<bool>>> {
    let new = HOOKED.with_borrow_mut(|hooked| {
        let new = !hooked.contains(&name);
        if new {
            hooked.push(name);
        }
        new
    });
    if !new {
        return None;
    }
    let on = Rc::new(Cell::new(true));
    replay(name, false);
    listen(name, client, "campaignDecided", &on);
    // The decision that redirected the visitor here is told by no event; Optimizely knows of it
    // once it is initialized. So are, on Performance Edge, all decisions.
    listen(name, client, "initialized", &on);
    Some(on)
}

fn replay(name: &str, redirected_only: bool) {
    for decision in with_around(name, page::now().wall, |around| read_state(around, redirected_only)) {
        tracker::decide(decision);
    }
}

fn listen(name: &'static str, client: &JsValue, event: &'static str, on: &Rc<Cell<bool>>) {
    let on = Rc::clone(on);
    let handler = page::function(move |told| {
        if !on.get() {
            return;
        }
        if event == "initialized" {
            replay(name, name == "optimizely");
        } else {
            let data = told.get("data");
            tracker::decide(with_around(name, page::now().wall, |around| read_event(&data, around)));
        }
    });
    let filter = Object::new();
    page::set(&filter, "type", &"lifecycle".into());
    page::set(&filter, "name", &event.into());
    let command = Object::new();
    page::set(&command, "type", &"addListener".into());
    page::set(&command, "filter", &filter);
    page::set(&command, "handler", &handler);
    let _ = page::call(client, "push", &Array::of1(&command));
}

/// What stands around a decision of the client with this name, made or told at the moment `at`.
pub fn with_around<T>(name: &str, at: f64, read: impl FnOnce(&Around<JsValue>) -> T) -> T {
    let optimizely = page::global(name);
    let cookies = page::cookies();
    read(&Around { optimizely: &optimizely, cookies: &cookies, parse: &page::parse, at })
}

/// Optimizely's id of the visitor; empty when it is not known.
pub fn visitor() -> String {
    use crate::decision::{Decision, Text};
    let mut anybody = Decision::new(Source::OptimizelyWeb, 0.0);
    with_around("optimizely", 0.0, |around| around.visitor(&mut anybody));
    anybody.get(Text::Unit).to_owned()
}
