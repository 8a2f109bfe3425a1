//! Segment: `window.analytics`, be it the snippet's stub, analytics.js, the npm package, or another
//! library that speaks its language.

#[cfg(target_arch = "wasm32")]
pub use live::{is_script, load, look, send};

use crate::decision::Page;
use crate::destination::{Event, State};
use crate::outbox::Sending;
use crate::value::{Fields, Value, iso, put};
use crate::view::{Kind, View};

/// From this minor version of analytics-next 1 on, `track` honours the option `messageId`.
const HONOURS_MESSAGE_ID: u32 = 68;

/// In which state `window.analytics` is. `blocked` says that its script could not be loaded.
///
/// "`track` is a function" says nothing: a stub has it for ever when analytics.js is blocked.
pub fn state<V: View>(analytics: Option<&V>, blocked: bool) -> State {
    let Some(analytics) = analytics else {
        return State::Missing;
    };
    let is_function = |name: &str| analytics.get(name).is_some_and(|it| it.kind() == Kind::Function);
    if !matches!(analytics.kind(), Kind::List | Kind::Object | Kind::Function) || !is_function("track") {
        return State::Missing;
    }
    let queues = if blocked { State::Failed } else { State::Stub };
    if analytics.kind() == Kind::List {
        return queues;
    }
    match analytics.get("initialized").and_then(|it| it.flag()) {
        Some(true) if is_null(analytics) => State::Failed,
        Some(true) => State::Ready { confirms: version(analytics).is_some() },
        Some(false) => queues,
        None if is_function("then") && is_function("load") => match analytics.get("instance") {
            Some(instance) if instance.kind() == Kind::Object => match is_null(&instance) {
                true => State::Failed,
                false => State::Ready { confirms: true },
            },
            _ => queues,
        },
        None => State::Ready { confirms: false },
    }
}

/// Whether only a middleware can give events an idempotency key: old versions ignore the option,
/// and of a stub nobody knows which version will replace it.
pub fn needs_middleware<V: View>(analytics: &V, state: State) -> bool {
    match (state, version(analytics)) {
        (State::Stub, None) => true,
        (_, Some((1, minor))) => minor < HONOURS_MESSAGE_ID,
        _ => false,
    }
}

/// Whether it is something else than Segment's: another library that has a `track`.
pub fn is_foreign<V: View>(analytics: &V, state: State) -> bool {
    state == State::Ready { confirms: false } && version(analytics).is_none()
}

/// The three arguments of `track`. The options carry the time of the decision, its idempotency
/// key, and the page it was made on when that is another than `here`.
pub fn arguments(event: Event, sending: &Sending, here: &Page) -> [Value; 3] {
    let mut options = Fields::new();
    put(&mut options, "timestamp", Value::Text(iso(sending.decision.decided_at)));
    put(&mut options, "messageId", Value::text(&sending.message_id));
    let made_on = &sending.decision.page;
    if !made_on.url.is_empty() && made_on.url != here.url {
        let page = [("url", &made_on.url), ("path", &made_on.path), ("title", &made_on.title)];
        let page = page.map(|(name, text)| (name.to_owned(), Value::text(text)));
        let page = Value::Object(page.into_iter().chain([("search".to_owned(), Value::text(""))]).collect());
        put(&mut options, "context", Value::Object(vec![("page".to_owned(), page)]));
    }
    [Value::Text(event.name), Value::Object(event.properties), Value::Object(options)]
}

/// A disabled analytics.js, or one whose visitor refused consent, looks initialized and drops all.
fn is_null<V: View>(analytics: &V) -> bool {
    let no_key = || analytics.get("settings")?.get("writeKey")?.string().map(|key| key.is_empty());
    let no_plugins = || Some(analytics.get("queue")?.get("plugins")?.items().is_empty());
    no_key() == Some(true) && no_plugins() == Some(true)
}

fn version<V: View>(analytics: &V) -> Option<(u32, u32)> {
    let version = analytics.get("VERSION")?.string()?;
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The half that touches the page.
#[cfg(target_arch = "wasm32")]
mod live {
    use super::{Event, Sending, State, arguments, is_foreign, needs_middleware, state};
    use crate::js::page::{self, JsValue};
    use crate::outbox::Call;
    use crate::value::Value;
    use js_sys::{Array, Function};

    /// Looks for `window.analytics`, afresh each time: a stub is replaced by the real one.
    pub fn look(blocked: bool) -> State {
        state(page::global("analytics").as_ref(), blocked)
    }

    /// Hands an exposure over. `confirmed` is called with the decision's number when the tool took
    /// charge: by the promise of `track`, or by the callback that a stub keeps for the real tool.
    pub fn send(event: Event, sending: &Sending, confirmed: &Function) -> Call {
        let Some(analytics) = page::global("analytics") else {
            return Call::Threw("window.analytics has gone".to_owned());
        };
        let state = state(Some(&analytics), false);
        if needs_middleware(&analytics, state) {
            add_middleware(&analytics);
        }
        if is_foreign(&analytics, state) {
            crate::tracker::warn("window.analytics is not Segment's analytics.js: it is told the same way");
        }
        let told = page::bind(confirmed, &JsValue::from_f64(f64::from(sending.id)));
        let values: [Value; 3] = arguments(event, sending, &page::here());
        let list: Array = values.iter().map(page::to_js).collect();
        if state == State::Stub {
            list.push(&told);
        }
        match page::call(&analytics, "track", &list) {
            Err(error) => Call::Threw(error),
            Ok(promise) if page::on_settled(&promise, &told) => Call::WillConfirm,
            Ok(_) if state == State::Stub => Call::WillConfirm,
            Ok(_) => Call::Returned,
        }
    }

    /// Once per object: its events that carry our idempotency key in their options get it as
    /// their `messageId`.
    fn add_middleware(analytics: &JsValue) {
        const MARK: &str = "__decisionBridge";
        let middleware = crate::js::host("middleware");
        if let Some(middleware) = middleware.filter(|_| page::get(analytics, MARK).is_none()) {
            page::set(analytics, MARK, &JsValue::TRUE);
            let _ = page::call(analytics, "addSourceMiddleware", &Array::of1(&middleware));
        }
    }

    /// Puts a stub in place and loads analytics.js for the write key, unless `window.analytics` is
    /// there already.
    pub fn load(write_key: &str, cdn_url: Option<&str>) {
        if page::global("analytics").is_some() {
            return;
        }
        let cdn = cdn_url.map_or(JsValue::UNDEFINED, JsValue::from_str);
        let loader = crate::js::host("loadSegment").unwrap_or(JsValue::UNDEFINED);
        let arguments = Array::of3(&JsValue::UNDEFINED, &write_key.into(), &cdn);
        if let Err(error) = page::call(&loader, "call", &arguments) {
            crate::tracker::warn(&["analytics.js could not be loaded: ", &error].concat());
        }
    }

    /// Whether an `error` event tells that Segment's script could not be loaded.
    pub fn is_script(event: &JsValue) -> bool {
        let Some(script) = page::get(event, "target") else {
            return false;
        };
        let source = page::get(&script, "src").and_then(|source| source.as_string()).unwrap_or_default();
        let marked =
            page::get(&script, "dataset").and_then(|data| page::get(&data, "globalSegmentAnalyticsKey"));
        marked.is_some() || source.contains("/analytics.js/v1/")
    }
}
