//! What we may ask of the page. It knows nothing of decisions. The verbs are in `www/page.js`,
//! where each catches what the page may throw; none is called while something of ours is borrowed,
//! since each may lead to page code that calls us back.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

pub use wasm_bindgen::JsValue;

use crate::outbox::Now;
use crate::view::{Picked, View};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = page)]
    fn pick(value: &JsValue, paths: &JsValue, args: &str) -> String;
    #[wasm_bindgen(js_namespace = page)]
    fn walk(value: &JsValue, path: &JsValue, args: &str) -> JsValue;
    /// The entry under this name, in the memory of this page, of this tab, of this browser (0, 1,
    /// 2); empty when there is none.
    #[wasm_bindgen(js_namespace = page)]
    pub fn read(shelf: u8, name: &str) -> String;
    /// Sets the entry; where the browser does not keep it, the page's memory does.
    #[wasm_bindgen(js_namespace = page)]
    pub fn write(shelf: u8, name: &str, entry: &str);
    /// Removes the entry.
    #[wasm_bindgen(js_namespace = page)]
    pub fn remove(shelf: u8, name: &str);
    /// The names of all entries that begin so, in alphabetical order, divided by `UNIT`.
    #[wasm_bindgen(js_namespace = page)]
    pub fn names(shelf: u8, prefix: &str) -> String;
    /// Opens the browser's storages, which nobody has touched until now, or with `false` closes
    /// them again and forgets. Says whether they are there.
    #[wasm_bindgen(js_namespace = page)]
    pub fn open(yes: bool) -> bool;
    /// What the page shows, in the order of [`Facts`], divided by `UNIT`; `names` are those of
    /// sessionStorage to look for.
    #[wasm_bindgen(js_namespace = page)]
    pub fn facts(names: &str) -> String;
    /// Tells the report, the page's handlers and the console: what happened, to which decision.
    #[wasm_bindgen(js_namespace = page)]
    pub fn tell(what: &str, id: u32, text: &str);
    /// Looks for the clients of these sources, divided by spaces, and hooks the new ones; with `all`
    /// for those of all sources.
    #[wasm_bindgen(js_namespace = page)]
    pub fn find(sources: &str, all: bool);
    /// With the options in force, lets run what runs beside the decisions: identities, the way
    /// back. With nothing it stops.
    #[wasm_bindgen(js_namespace = page)]
    pub fn serve(options: &str);
    /// Loads analytics.js for a write key, unless `window.analytics` is there.
    #[wasm_bindgen(js_namespace = page, js_name = loadSegment)]
    pub fn load_segment(write_key: &str, cdn_url: &str);
    /// Hands an exposure to a destination, or to its stub. Answers with nothing when it returned,
    /// `later` when it will confirm with a call of `confirmed`, else with what was thrown, behind `!`.
    #[wasm_bindgen(js_namespace = page)]
    pub fn send(
        destination: &str,
        name: &str,
        properties: &str,
        options: &str,
        user: &str,
        id: u32,
        stub: bool,
    ) -> String;
    /// 26 random digits and letters.
    #[wasm_bindgen(js_namespace = page)]
    pub fn random() -> String;
    /// A moment in ISO 8601.
    #[wasm_bindgen(js_namespace = page)]
    pub fn iso(moment: f64) -> String;
    #[wasm_bindgen(js_namespace = page)]
    fn wall() -> f64;
    #[wasm_bindgen(js_namespace = page)]
    fn steady() -> f64;
    /// Sets the page's one timer to call `woken` in so many ms, or stops it.
    #[wasm_bindgen(js_namespace = page)]
    pub fn wake(ms: Option<f64>);
    /// The window, as something to look at.
    #[wasm_bindgen(js_namespace = page)]
    pub fn window() -> JsValue;
}

/// The places of what [`facts`] tells.
#[derive(Clone, Copy)]
pub enum Facts {
    /// `document.cookie`, decoded.
    Cookies,
    /// The query the page was loaded with and the one it has now, joined by `&`.
    Queries,
    /// The address without query and fragment.
    Url,
    /// The path of it.
    Path,
    /// The title.
    Title,
    /// The host.
    Host,
    /// Something when the page is being prerendered.
    Prerendering,
    /// The entries of sessionStorage that were asked for, in the form of a cookie string.
    Session,
}

/// Both clocks.
pub fn now() -> Now {
    Now { wall: wall(), steady: steady() }
}

thread_local! {
    /// The paths that were asked for, as JavaScript's own strings: most of what a look costs is
    /// carrying its paths over the border.
    static PATHS: RefCell<Vec<(&'static str, JsValue)>> = const { RefCell::new(Vec::new()) };
}

fn carried(paths: &'static str) -> JsValue {
    PATHS.with_borrow_mut(|known| {
        let same = |(text, _): &&(&'static str, JsValue)| core::ptr::eq(*text, paths);
        if let Some((_, carried)) = known.iter().find(same) {
            return carried.clone();
        }
        let carried = JsValue::from_str(paths);
        known.push((paths, carried.clone()));
        carried
    })
}

impl View for JsValue {
    fn pick(&self, paths: &'static str, args: &str) -> Picked {
        Picked(pick(self, &carried(paths), args))
    }

    fn walk(&self, path: &'static str, args: &str) -> JsValue {
        walk(self, &carried(path), args)
    }
}
