//! Segment: `window.analytics`, be it the snippet's stub, analytics.js, the npm package, or another
//! library that speaks its language.

#[cfg(target_arch = "wasm32")]
pub use live::{is_script, load, look, send};

use crate::decision::Text;
#[cfg(target_arch = "wasm32")]
use crate::destination::Event;
use crate::destination::State;
use crate::outbox::Sending;
use crate::value::{Fields, Value};
use crate::view::{Kind, View};

/// From this minor version of analytics-next 1 on, `track` honours the option `messageId`.
const HONOURS_MESSAGE_ID: u32 = 68;

/// In which state `window.analytics` is. `blocked` says that its script could not be loaded.
///
/// "`track` is a function" says nothing: a stub has it for ever when analytics.js is blocked.
pub fn state<V: View>(analytics: &V, blocked: bool) -> State {
    let is_function = |name: &str| analytics.get(name).kind() == Kind::Function;
    if !is_function("track") {
        return State::Missing;
    }
    let queues = if blocked { State::Failed } else { State::Stub };
    let settled = |tool: &V| if is_null(tool) { State::Failed } else { State::Ready { confirms: true } };
    let initialized = analytics.get("initialized");
    if analytics.kind() == Kind::List || initialized.kind() == Kind::Bool && !initialized.is_true() {
        return queues;
    }
    if initialized.is_true() {
        let settled = settled(analytics);
        let known = settled == State::Failed || version(analytics).is_some();
        return if known { settled } else { State::Ready { confirms: false } };
    }
    // The npm package's buffer: it has its instance once it has loaded.
    if is_function("then") && is_function("load") {
        let instance = analytics.get("instance");
        return if instance.is_object() { settled(&instance) } else { queues };
    }
    State::Ready { confirms: false }
}

/// Whether only a middleware can give events an idempotency key: old versions ignore the option,
/// and of a stub nobody knows which version will replace it.
pub fn needs_middleware<V: View>(analytics: &V, state: State) -> bool {
    match version(analytics) {
        Some((major, minor)) => major == 1 && minor < HONOURS_MESSAGE_ID,
        None => state == State::Stub,
    }
}

/// The properties and options of `track`. The options carry the time of the decision (`time`, ISO
/// 8601), its idempotency key, and the page it was made on when that is another than `here`.
pub fn options(sending: &Sending, time: &str, here: &str) -> Fields {
    let mut options = Fields::default();
    options.text("timestamp", time);
    options.text("messageId", &sending.message_id);
    let decision = &sending.decision;
    if decision.get(Text::PageUrl) != here {
        let mut page = Fields::default();
        page.text("url", decision.get(Text::PageUrl));
        page.text("path", decision.get(Text::PagePath));
        page.text("title", decision.get(Text::PageTitle));
        page.put("search", Value::Text(String::new()));
        let mut context = Fields::default();
        context.put("page", Value::Object(page));
        options.put("context", Value::Object(context));
    }
    options
}

/// A disabled analytics.js, or one whose visitor refused consent, looks initialized and drops all.
fn is_null<V: View>(analytics: &V) -> bool {
    let key = analytics.get("settings").get("writeKey");
    let plugins = analytics.get("queue").get("plugins");
    key.kind() == Kind::Text && key.text().is_empty() && plugins.items().is_empty()
}

fn version<V: View>(analytics: &V) -> Option<(u32, u32)> {
    let version = analytics.get("VERSION").string();
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The half that touches the page.
#[cfg(target_arch = "wasm32")]
mod live {
    use super::{Event, Sending, State, needs_middleware, options, state, version};
    use crate::decision::Text;
    use crate::js::page::{self, JsValue};
    use crate::outbox::Call;
    use crate::value::{Value, join};
    use crate::view::{Kind, View};
    use js_sys::{Array, Function};

    /// Looks for `window.analytics`, afresh each time: a stub is replaced by the real one.
    pub fn look(blocked: bool) -> State {
        state(&page::global("analytics"), blocked)
    }

    /// Hands an exposure over. `confirmed` is called with the decision's number when the tool took
    /// charge: by the promise of `track`, or by the callback that a stub keeps for the real tool.
    pub fn send(event: Event, sending: &Sending, time: &str, confirmed: &Function) -> Call {
        let analytics = page::global("analytics");
        let state = state(&analytics, false);
        let stub = state == State::Stub;
        if needs_middleware(&analytics, state) {
            add_middleware(&analytics);
        }
        if !stub && version(&analytics).is_none() && analytics.get("load").kind() != Kind::Function {
            crate::tracker::warn("window.analytics is not Segment's analytics.js: it is told the same way");
        }
        let told = page::bind(confirmed, &JsValue::from_f64(f64::from(sending.id)));
        let options = options(sending, time, page::here(Text::PageUrl).as_str());
        let arguments = Array::of3(
            &JsValue::from_str(&event.name),
            &page::to_js(&Value::Object(event.properties)),
            &page::to_js(&Value::Object(options)),
        );
        if stub {
            arguments.push(&told);
        }
        match page::call(&analytics, "track", &arguments) {
            Err(error) => Call::Threw(error),
            Ok(promise) if page::on_settled(&promise, &told) || stub => Call::WillConfirm,
            Ok(_) => Call::Returned,
        }
    }

    /// Once per object: its events that carry our idempotency key in their options get it as
    /// their `messageId`.
    fn add_middleware(analytics: &JsValue) {
        const MARK: &str = "__decisionBridge";
        if analytics.get(MARK).kind() == Kind::Missing {
            page::set(analytics, MARK, &JsValue::TRUE);
            let _ = page::call(analytics, "addSourceMiddleware", &Array::of1(&crate::js::host("middleware")));
        }
    }

    /// Puts a stub in place and loads analytics.js for the write key, unless `window.analytics` is
    /// there already.
    pub fn load(write_key: &str, cdn_url: &str) {
        if write_key.is_empty() || page::global("analytics").kind() != Kind::Missing {
            return;
        }
        let arguments = Array::of2(&write_key.into(), &cdn_url.into());
        if let Err(error) = page::call(&crate::js::host(""), "loadSegment", &arguments) {
            crate::tracker::warn(&join(&["analytics.js could not be loaded: ", &error]));
        }
    }

    /// Whether an `error` event tells that Segment's script could not be loaded.
    pub fn is_script(event: &JsValue) -> bool {
        let script = event.get("target");
        let marked = script.get("dataset").get("globalSegmentAnalyticsKey").kind() == Kind::Text;
        marked || script.get("src").string().contains("/analytics.js/v1/")
    }
}
