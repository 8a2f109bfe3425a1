//! The module's boundary in a real browser: the same numbers come out as natively, whatever a page hands
//! in, calls back, throws, and whenever its timer fires.

#![cfg(target_arch = "wasm32")]

#[path = "common/story.rs"]
mod story;

use decision_bridge::js::*;
use js_sys::{Array, Promise};
use story::{ENDED, ERASE, LOOK, RECALL, SEND, STORE, TRACE, all, hashed, made, next, start};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/browser/page.js")]
extern "C" {
    #[wasm_bindgen(js_name = call)]
    fn call_export(exports: &JsValue, name: &str, arguments: Array) -> JsValue;
    #[wasm_bindgen(js_name = strangeNumbers)]
    fn strange_numbers() -> Array;
    #[wasm_bindgen(js_name = noNumbers)]
    fn no_numbers() -> Array;
    #[wasm_bindgen(js_name = numberThatCalls)]
    fn number_that_calls(action: &JsValue, number: f64) -> JsValue;
    fn throwing() -> JsValue;
    fn sleep(ms: f64) -> Promise;
    fn wall() -> f64;
    fn steady() -> f64;
    fn write(name: &str, entry: &str);
    fn read(name: &str) -> Option<String>;
    fn remove(name: &str);
}

/// What an export gives, called as the shell does: with what JavaScript makes of these arguments.
fn call(name: &str, arguments: &[&JsValue]) -> JsValue {
    call_export(&wasm_bindgen::exports(), name, arguments.iter().collect())
}

/// A fresh outbox in which the decision 7 waits for its destination.
fn one_waits() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    decided(7, 0);
    all();
    found(0, 0);
    all();
}

/// That decision waits as it did, and nothing else does or is to be done.
fn assert_it_waits_alone(after: &JsValue) {
    assert_eq!((pending(), waits(7), open(7, 0), poll()), (1, true, 2, 0.0), "after {after:?}");
}

#[wasm_bindgen_test]
fn a_text_has_the_hash_that_it_has_everywhere() {
    story::hashes();
}

#[wasm_bindgen_test]
fn a_decision_takes_its_way_in_numbers() {
    story::a_decision_takes_its_way();
}

/// More than memory was there for at the start, so that it has to grow.
#[wasm_bindgen_test]
fn a_thousand_decisions_wait_and_all_of_them_go_out_in_order() {
    story::a_thousand_decisions_wait_and_all_of_them_go_out_in_order();
}

/// What is told of an item, with it and the destination as its first arguments.
const TOLD_OF_AN_ITEM: [&str; 3] = ["recalled", "called", "confirmed"];

#[wasm_bindgen_test]
fn what_is_no_item_and_no_destination_changes_nothing_whatever_its_type() {
    let [item, destination] = [7, 0].map(JsValue::from);
    for strange in strange_numbers() {
        one_waits();
        for name in TOLD_OF_AN_ITEM {
            call(name, &[&strange, &destination, &strange]);
            call(name, &[&strange, &strange, &strange]);
        }
        call("leaving", &[&strange, &strange]);
        assert_eq!(call("open", &[&strange, &destination]), -1, "{strange:?}");
        assert_eq!(call("open", &[&strange]), -1, "{strange:?}");
        assert_eq!(call("waits", &[&strange]), 0, "{strange:?}");
        assert_it_waits_alone(&strange);
        // More arguments than there are, and the right ones as texts, which JavaScript reads as numbers.
        assert_eq!(call("open", &[&"7".into(), &"0".into(), &strange]), 2);
        assert_eq!(call("open", &[&item, &destination, &strange]), 2);
    }
}

#[wasm_bindgen_test]
fn what_is_no_number_at_all_throws_before_anything_is_done() {
    for none in no_numbers() {
        one_waits();
        for name in TOLD_OF_AN_ITEM.into_iter().chain(["decided", "found", "facts", "remembered", "init"]) {
            let answer = call(name, &[&none, &none, &none, &none, &none]).as_string();
            assert!(answer.is_some_and(|text| text.starts_with("TypeError")), "{name}: {none:?}");
        }
        assert_it_waits_alone(&none);
    }
}

#[wasm_bindgen_test]
fn what_the_page_calls_within_a_call_is_done_before_it() {
    start();
    hashed(0, "experiment");
    hashed(1, "variation");
    let again = Closure::<dyn FnMut()>::new(|| {
        decided(8, 0);
        assert_eq!(next(), Some((STORE, 8, 0, 0)));
    });
    call("decided", &[&number_that_calls(again.as_ref(), 7.0), &0.into()]);
    assert_eq!((pending(), open(8, 0), open(7, 0)), (1, 2, -1));
    // The outer one came second: a duplicate.
    assert_eq!(all(), [(ENDED, 7, 0, 1 + 16 * 5), (LOOK, 0, 0, 0)]);
}

#[wasm_bindgen_test]
fn page_code_that_throws_within_a_call_leaves_everything_as_it_was() {
    one_waits();
    let thrown = throwing();
    for name in TOLD_OF_AN_ITEM.into_iter().chain(["decided", "found", "facts", "leaving", "open", "waits"]) {
        assert_eq!(call(name, &[&thrown, &thrown, &thrown]), "Error: of the page", "{name}");
        assert_it_waits_alone(&thrown);
    }
    // It goes on where it was.
    now(1e12 + 250.0, 255.0);
    tick();
    assert_eq!(all(), [(LOOK, 0, 0, 0)]);
    found(0, 2);
    assert_eq!(all(), [(RECALL, 7, 0, 0), (SEND, 7, 0, 0)]);
}

/// One timer at a time, for as long as the core says: that alone brings a wait to its end.
#[wasm_bindgen_test]
async fn the_pages_timer_brings_a_wait_to_its_end() {
    start();
    now(wall(), steady());
    init(10.0, 40.0, 0.0, 1 << 2, 1);
    facts(0);
    hashed(0, "experiment");
    decided(7, 0);
    let mut done = Vec::new();
    loop {
        while let Some(effect) = next() {
            if effect.0 == LOOK {
                found(0, 0);
            }
            done.push(effect);
        }
        let ms = wake_in();
        if ms < 0.0 {
            break;
        }
        assert!(ms <= 10.0, "it looks every 10 ms, and not in {ms}");
        JsFuture::from(sleep(ms)).await.unwrap();
        now(wall(), steady());
        tick();
    }
    assert!(done.iter().filter(|(kind, ..)| *kind == LOOK).count() > 1);
    assert_eq!(done.last(), Some(&(ENDED, 7, 0, 8 + 16 * 4)), "longer than maxWaitMs, and carryOverMs is 0");
    assert_eq!(pending(), 0);
}

/// The page's storage is all that one page has from another: an instance begins with nothing.
#[wasm_bindgen_test]
fn what_storage_kept_goes_on_under_the_same_idempotency_key_in_the_next_instance() {
    one_waits();
    message_id(7, 0);
    let id = made();
    // As the shell does at each STORE: the texts of key and outcome, and what is open.
    write("browser-test", &format!("experiment variation {}", open(7, 0)));

    start();
    assert_eq!((pending(), open(7, 0)), (0, -1), "nothing is left of the page before");
    let entry = read("browser-test").expect("the browser keeps it");
    remove("browser-test");
    let [key, outcome, open] = entry.split(' ').collect::<Vec<_>>()[..] else { panic!("{entry}") };
    hashed(0, key);
    hashed(1, outcome);
    parcel(0, open.parse::<u32>().unwrap() / 2, false);
    carried(1, 1 << 10, 1e12);
    assert_eq!(all(), [(TRACE, 1, 0, 3), (STORE, 1, 0, 0), (LOOK, 0, 0, 0)]);
    message_id(1, 0);
    assert_eq!(made(), id);
    found(0, 2);
    recalled(1, 0);
    assert_eq!(all().last(), Some(&(SEND, 1, 0, 0)));
    called(1, 0, 0);
    assert!(all().contains(&(ERASE, 1, 0, 0)), "it is not told again");
}
