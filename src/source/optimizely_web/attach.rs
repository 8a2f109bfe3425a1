//! The half of Optimizely Web that touches the page: finds the client, replays what it decided
//! before we came, and listens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object};

use super::{Around, read_event, read_state};
use crate::js::page::{self, JsValue};
use crate::source::Source;
use crate::tracker;
use crate::view::{Argument, Kind, View};

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
pub fn find() {
    if !tracker::wants_source(Source::OptimizelyWeb) {
        return;
    }
    for name in CLIENTS {
        let known = HOOKED.with_borrow(|hooked| hooked.contains(&name));
        if known {
            continue;
        }
        let mut client =
            page::global(name).filter(|client| matches!(client.kind(), Kind::List | Kind::Object));
        if client.is_none() && name == "optimizely" && tracker::names_source(Source::OptimizelyWeb) {
            let queue: JsValue = Array::new().into();
            page::set(&js_sys::global(), name, &queue);
            client = Some(queue);
        }
        if let Some(client) = client {
            HOOKED.with_borrow_mut(|hooked| hooked.push(name));
            hook(name, &client);
        }
    }
}

/// Listens to a client the page hands over, or to the one that is there. The function that comes
/// back stops it.
pub fn attach(client: Option<JsValue>) -> JsValue {
    let client = client.or_else(|| page::global("optimizely"));
    let Some(client) = client.filter(|client| matches!(client.kind(), Kind::List | Kind::Object)) else {
        crate::js::mistake("attach: there is no window.optimizely, and argument 2 is missing");
        return page::function(|_| {}).into();
    };
    let fresh = HOOKED.with_borrow_mut(|hooked| {
        let fresh = !hooked.contains(&"optimizely");
        hooked.push("optimizely");
        fresh
    });
    let on = if fresh { hook("optimizely", &client) } else { Rc::new(Cell::new(true)) };
    page::function(move |_| on.set(false)).into()
}

/// Listens to a client. The answer stops it when set to false.
fn hook(name: &'static str, client: &JsValue) -> Rc<Cell<bool>> {
    let on = Rc::new(Cell::new(true));
    let early = client.invoke("get", Argument::Text("state")).is_none();
    if !early {
        replay(name, false);
    }
    let listening = Rc::clone(&on);
    listen(client, "campaignDecided", move |event| {
        if listening.get()
            && let Some(data) = page::get(&event, "data")
        {
            let decision = with_around(name, |around| read_event(&data, around));
            tracker::decide(decision);
        }
    });
    // The decision that redirected the visitor here is told by no event; Optimizely knows of it
    // once it is initialized. So are, on Performance Edge, all decisions.
    let listening = Rc::clone(&on);
    listen(client, "initialized", move |_| {
        if listening.get() {
            replay(name, name == "optimizely");
        }
    });
    on
}

fn replay(name: &str, redirected_only: bool) {
    for decision in with_around(name, |around| read_state(around, redirected_only)) {
        tracker::decide(decision);
    }
}

fn listen(client: &JsValue, event: &str, handler: impl FnMut(JsValue) + 'static) {
    let object = |fields: &[(&str, JsValue)]| {
        let object = Object::new();
        for (name, value) in fields {
            page::set(&object, name, value);
        }
        JsValue::from(object)
    };
    let filter = object(&[("type", "lifecycle".into()), ("name", event.into())]);
    let command = object(&[
        ("type", "addListener".into()),
        ("filter", filter),
        ("handler", page::function(handler).into()),
    ]);
    let _ = page::call(client, "push", &Array::of1(&command));
}

/// What stands around a decision of the client with this name.
pub fn with_around<T>(name: &str, read: impl FnOnce(&Around<JsValue>) -> T) -> T {
    let client = page::global(name).filter(|client| matches!(client.kind(), Kind::List | Kind::Object));
    let cookies = || page::document_text("cookie");
    read(&Around { optimizely: client.as_ref(), cookies: &cookies, at: page::now().wall })
}
