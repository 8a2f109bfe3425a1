//! What fuzzing ever found, and its seeds, tried again: `fuzz/corpus/core/` holds one input per
//! file. `./build.sh fuzz` looks for new ones.

#![cfg(not(target_arch = "wasm32"))]

#[path = "../fuzz/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

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
fn whatever_was_found() {
    replay("fuzz/corpus/core", properties::core);
}

proptest! {
    #[test]
    fn whatever_is_called(calls in proptest::collection::vec(any::<u8>(), 0..400)) {
        properties::core(&calls);
    }
}
