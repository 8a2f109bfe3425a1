//! The module in a real browser: the same numbers come out as natively.

#![cfg(target_arch = "wasm32")]

#[path = "common/story.rs"]
mod story;

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

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
