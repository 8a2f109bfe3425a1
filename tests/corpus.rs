//! What fuzzing ever found, and its seeds, tried again: `fuzz/corpus/<target>/` holds one input per
//! file. `./build.sh fuzz` looks for new ones.

#![cfg(not(target_arch = "wasm32"))]

mod common;
#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

#[track_caller]
fn replay(folder: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.expect("an entry").path();
        let input = fs::read(&path).expect("the input");
        inputs += 1;
        if let Err(cause) = std::panic::catch_unwind(|| check(&input)) {
            eprintln!("the input is {}", path.display());
            std::panic::resume_unwind(cause);
        }
    }
    assert!(inputs > 0, "{folder:?} is empty");
}

#[test]
fn whatever_init_is_given() {
    replay("fuzz/corpus/options", properties::options);
}

#[test]
fn whatever_experiment_tools_say() {
    replay("fuzz/corpus/decisions", properties::decisions);
}

#[test]
fn whatever_experiment_tools_say_in_the_cases_of_each_source() {
    for source in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")).expect("the folder")
    {
        let name = source.expect("an entry").file_name();
        replay(&format!("tests/fixtures/{}", name.display()), properties::decisions);
    }
}

#[test]
fn whatever_lies_in_the_browsers_storage() {
    replay("fuzz/corpus/stored", properties::stored);
}

#[test]
fn whatever_stands_in_the_address_bar_and_the_cookies() {
    replay("fuzz/corpus/signals", properties::signals);
}
