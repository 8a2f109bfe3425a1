//! `tests/FAULTS.md` cannot lie: each row is there, and each test it names exists and runs.

#![cfg(not(target_arch = "wasm32"))]

use std::fs;
use std::path::Path;

const SECTIONS: [(char, usize); 7] =
    [('A', 30), ('B', 14), ('C', 21), ('D', 24), ('E', 18), ('F', 19), ('G', 10)];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows, each as id, fault, state and proof.
fn rows(table: &str) -> Vec<[&str; 4]> {
    let row = |line: &str| line.starts_with("| ") && line.as_bytes().get(3).is_some_and(u8::is_ascii_digit);
    table
        .lines()
        .filter(|line| row(line))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            <[&str; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("{cells:?} are not four cells"))
        })
        .collect()
}

/// Whether there is this test: a fixture, which `unit/sources.test.mjs` plays, or a name in a file.
fn exists(test: &str) -> bool {
    if test.starts_with("fixtures/") && test.ends_with(".json") {
        return Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(test).is_file();
    }
    test.split_once(": ").is_some_and(|(file, name)| has_test(file, name))
}

/// Whether this file has a test of this name, and runs it.
fn has_test(file: &str, name: &str) -> bool {
    let text = read(file);
    if file.ends_with(".rs") {
        let head = format!("fn {name}(");
        return text.split(&*head).next().filter(|before| before.len() < text.len()).is_some_and(|before| {
            let attributes = before.rsplit("\n\n").next().unwrap_or_default();
            attributes.contains("test]") && !attributes.contains("ignore")
        });
    }
    // As it stands in the source: in any quotes, with the backticks of a template escaped.
    let escaped = name.replace('`', "\\`");
    ["story(", "test(", "driven("].iter().any(|call| {
        text.split(call).skip(1).any(|after| {
            let after = after.trim_start();
            let quote = after.chars().next().unwrap_or_default();
            let spelled = if quote == '`' { &escaped } else { name };
            "'\"`".contains(quote)
                && after.get(1..).is_some_and(|rest| rest.starts_with(&format!("{spelled}{quote}")))
        })
    })
}

#[test]
fn every_fault_has_its_row() {
    let table = read("FAULTS.md");
    let ids: Vec<&str> = rows(&table).iter().map(|[id, ..]| *id).collect();
    let wanted: Vec<String> = SECTIONS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |number| format!("{section}{number:02}")))
        .collect();
    assert_eq!(ids, wanted);
}

#[test]
fn every_row_is_held_by_tests_that_exist_or_says_why_not() {
    let mut lies = Vec::new();
    for [id, _, state, proof] in rows(&read("FAULTS.md")) {
        match state {
            "held" => {
                for named in proof.split("<br>").filter(|named| !exists(named)) {
                    lies.push(format!("{id}: there is no test {named:?}"));
                }
            }
            "struck" if proof.ends_with('.') => {}
            "open" => {}
            _ => lies.push(format!("{id}: {state:?}, {proof:?}")),
        }
    }
    assert!(lies.is_empty(), "{lies:#?}");
}
