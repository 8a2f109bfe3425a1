#!/usr/bin/env bash
# The one door of the project. Each command installs what it needs and is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH" RUSTUP_AUTO_INSTALL=0
TARGET="${CARGO_TARGET_DIR:-$PWD/target}"
LOG="$(mktemp)"
COPY=
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$LOG" "$COPY"' EXIT

help() {
  cat <<'EOF'
./build.sh demo       builds, and serves the demo on http://127.0.0.1:8080 (PORT to change)
./build.sh test       runs everything that proves the project
./build.sh dist       builds dist/
./build.sh bench      measures against the published recipe: a table, and tests/bench/results.json
./build.sh chaos      plays random visits with everything going wrong: --visits N --seed S [--visit K]
./build.sh size       tells what is shipped, in bytes; every build fails above the budget in www/build.mjs
./build.sh fuzz       looks for calls and texts that break a promise: for 300 seconds each, or --seconds N
./build.sh protections  takes each protection of tests/FAULTS.md out, and sees its tests fail: all, or the rows named
./build.sh supply     checks what comes from others: versions, licences, sources, known advisories
./build.sh reproduce  builds twice, in two folders, and compares byte for byte
EOF
}

stop() { printf 'build.sh: %s\n' "$1" >&2; exit 1; }

# step <what> <command…>: shows that it is alive, and what the command printed only if it fails.
step() {
  local what=$1 start=$SECONDS shown=$SECONDS; shift
  printf '%s …\n' "$what"
  "$@" >"$LOG" 2>&1 </dev/null &
  while kill -0 $! 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - shown >= 10)); then
      shown=$SECONDS
      printf '  %3d s  %s\n' $((SECONDS - start)) "$(tail -n 1 "$LOG" | tr -d '\r' | cut -c 1-100)"
    fi
  done
  wait $! && return
  cat "$LOG" >&2
  printf '\nFAILED: %s\n' "$what" >&2
  exit 1
}

. www/build/setup.sh

# The standard library is built too: a panic is then one instruction and carries no text, which is
# 10 % of the module. Cargo and rustc count these flags as unstable, hence RUSTC_BOOTSTRAP, on the
# very compiler that rust-toolchain.toml pins. Messages are in the debug build, which the tests run.
#
# compile <folder> <more flags…>
compile() {
  local folder=$1; shift
  RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=none -Zlocation-detail=none $*" \
    cargo rustc --lib --crate-type cdylib --target wasm32-unknown-unknown --release --target-dir "$TARGET/$folder" \
    -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
}

# The fallback is the same crate as plain JavaScript. wasm2js reads the first WebAssembly alone.
dist() {
  need_toolchain
  need_node
  # Little stack makes short addresses; without references wasm-bindgen leaves its table of them out.
  step 'Compiling the module' compile small -Clink-arg=-zstack-size=4096 -Ctarget-feature=-reference-types
  step 'Compiling the fallback' compile fallback -Clink-arg=-zstack-size=4096 -Ctarget-cpu=mvp
  echo 'Optimizing, and bundling into dist/ …'
  node www/build.mjs "$TARGET"/{small,fallback}/wasm32-unknown-unknown/release/decision_bridge.wasm
}

size() { dist; }

demo() {
  dist
  rm -f "$LOG"
  exec node www/demo/server.mjs
}

bench() {
  need_browser
  dist
  node tests/bench/run.mjs
}

chaos() {
  need_browser
  dist
  node tests/chaos/run.mjs "$@"
}

protections() {
  need_toolchain
  need_node
  need_browser
  need_firefox
  node tests/protections/run.mjs "$@"
}

# Only src/js names the binding crate.
rooms() {
  ! grep -rnE '\bwasm_bindgen\b' src --include='*.rs' | grep -v '^src/js[./]'
}

# fuzz [--seconds N]: libFuzzer wants coverage counters, which cargo-fuzz asks rustc for by flags that
# count as unstable. No address sanitizer: the core has no pointers of its own. Inputs that reach something
# new gather in target/, from one run to the next; one that breaks a property falls into fuzz/corpus/,
# where `cargo test` tries it again.
fuzz() {
  local seconds=300 target
  if [[ ${1:-} == --seconds && ${2:-} =~ ^[0-9]+$ ]]; then seconds=$2; elif (($# > 0)); then help >&2; exit 2; fi
  need_toolchain
  need_node
  need_cargo_fuzz
  step 'Compiling the fuzz targets' cargo_fuzz build
  export FOREIGN="$TARGET/fuzz/foreign.js"
  node fuzz/bundle.mjs "$FOREIGN" >"$LOG"
  for target in $(cargo fuzz list); do
    step "Fuzzing $target for $seconds s" fuzz_target "$target" "$seconds"
    sed -nE 's/^Done ([0-9]+) runs .*/  \1 inputs tried/p' "$LOG"
  done
}

cargo_fuzz() { RUSTC_BOOTSTRAP=1 cargo fuzz "$1" --sanitizer none --target-dir "$TARGET/fuzz" "${@:2}"; }

fuzz_target() {
  mkdir -p "$TARGET/fuzz/corpus/$1"
  cargo_fuzz run "$1" "$TARGET/fuzz/corpus/$1" "fuzz/corpus/$1" -- \
    -max_total_time="$2" -timeout=10 -artifact_prefix="fuzz/corpus/$1/found-"
}

# What a visitor downloads comes from the crates alone, and deny.toml says which may; npm has the tools.
supply() {
  local manifest manifests=(Cargo.toml fuzz/Cargo.toml)
  need_toolchain
  need_node
  need_cargo_deny
  for manifest in "${manifests[@]}"; do
    step "Sources and licences of $manifest" cargo deny --locked --manifest-path "$manifest" check bans licenses sources
  done
  step 'Packages of npm' node www/build/packages.mjs
  echo 'Fetching the RustSec database of advisories …'
  timeout 60 cargo deny --locked fetch db >"$LOG" 2>&1 </dev/null || echo '  it cannot be reached'
  if ! compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/crates" >/dev/null; then
    echo '  NOT CHECKED: known advisories, because no copy of the database is here'
    return
  fi
  for manifest in "${manifests[@]}"; do
    step "Known advisories for $manifest" cargo deny --locked --offline --manifest-path "$manifest" check advisories
  done
}

reproduce() {
  dist
  compare_with_copy
}

# Builds a clean copy of the tree in another folder, from nothing, standard library included: what is
# shipped must come out the same, byte for byte. The packages of npm are the same ones, by their hashes.
compare_with_copy() {
  COPY=$(mktemp -d)
  git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$COPY"
  ln -s "$PWD/tests/node_modules" "$COPY/tests/node_modules"
  step 'Building a clean copy in another folder' env -u CARGO_TARGET_DIR "$COPY/build.sh" dist
  step 'Comparing both builds, byte for byte' diff -r dist "$COPY/dist"
}

browser_tests() {
  wasm-pack test --headless --chrome --chromedriver "$(command -v chromedriver)" --mode no-install -- --test browser
}

# Adds what the last step counted, and stops where a suite ran nothing.
PASSED=0
count() {
  local passed
  passed=$(sed -nE "s/$2/\1/p" "$LOG" | awk '{ sum += $1 } END { print sum + 0 }')
  ((passed > 0)) || stop "$1 ran no test at all."
  PASSED=$((PASSED + passed))
  echo "  $passed passed"
}

# `test` would shadow the shell's own.
run_tests() {
  need_toolchain
  need_node
  need_wasm_bindgen
  need_wasm_pack
  need_browser
  need_firefox
  local rust='.*test result: ok\. ([0-9]+) passed.*'
  step 'Format' cargo fmt --check
  step 'Who names the binding crates' rooms
  step 'Clippy' cargo clippy --quiet --all-targets -- -D warnings
  step 'Clippy for the browser' cargo clippy --quiet --all-targets --target wasm32-unknown-unknown -- -D warnings
  supply
  step 'Native tests' cargo test
  count 'cargo test' "$rust"
  step 'Unit tests' node --test --test-reporter=spec tests/unit/*.test.mjs
  count 'node --test' '^[^a-z]*pass ([0-9]+)$'
  step 'What the protections would take out' node tests/protections/run.mjs --fit
  fuzz --seconds 10
  step 'Browser tests' browser_tests
  count 'wasm-pack test' "$rust"
  dist
  compare_with_copy
  step 'Types' tests/node_modules/.bin/tsc --noEmit -p tests/types
  step 'End-to-end tests' node tests/e2e/run.mjs
  count 'node --test' '^[^a-z]*pass ([0-9]+)$'
  sed -n '/^needed a second try/p' "$LOG"
  step 'End-to-end tests without WebAssembly' env BRIDGE=fallback node tests/e2e/run.mjs
  count 'node --test' '^[^a-z]*pass ([0-9]+)$'
  sed -n '/^needed a second try/p' "$LOG"
  step 'Chaos: 200 visits, and 60 with the published recipe' node tests/chaos/run.mjs --visits 200 --recipe 60
  sed -n '/^ .*visits/,$p' "$LOG"
  for sabotage in forget rename amnesia; do
    step "Chaos, sabotaged: $sabotage" node tests/chaos/run.mjs --visits 12 --sabotage "$sabotage"
  done
  echo "$PASSED passed, 0 failed"
}

case "${1:-help}" in
  help | demo | dist | bench | size | supply | reproduce) "${1:-help}" ;;
  chaos | fuzz | protections) "$1" "${@:2}" ;;
  test) run_tests ;;
  *) help >&2; exit 2 ;;
esac
