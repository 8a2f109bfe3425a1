# Part of build.sh: what has to be on the machine. Each function installs what is missing, or says in
# one sentence what to install.

need_toolchain() {
  local installed part
  command -v rustup >/dev/null && command -v cargo >/dev/null || stop 'Rust is missing: install rustup as https://rustup.rs says.'
  command -v cc >/dev/null || need_debian 'A C compiler, which links Rust,' gcc libc6-dev
  installed=$(rustup component list --installed 2>/dev/null) || true
  for part in $(sed -nE 's/^(components|targets) = //p' rust-toolchain.toml | tr -d '[],"'); do
    [[ $installed == *"$part"* ]] || { step 'Installing the toolchain of rust-toolchain.toml' rustup toolchain install; return; }
  done
}

need_node() {
  local version
  version=$(node --version 2>/dev/null) || stop 'Node is missing: install Node 20 or newer, with npm.'
  version=${version#v}
  ((${version%%.*} >= 20)) || stop "Node $version is too old: install Node 20 or newer."
  command -v npm >/dev/null || stop 'npm is missing: install it beside Node.'
  [[ tests/node_modules/.package-lock.json -nt tests/package-lock.json ]] ||
    step 'Installing the packages of tests/package-lock.json' npm ci --prefix tests --no-audit --no-fund
}

# Some rows of tests/FAULTS.md differ there.
need_firefox() {
  command -v firefox-esr firefox >/dev/null || need_debian 'Firefox' firefox-esr
}

# Of the very version that the crate is.
need_wasm_bindgen() {
  need_program wasm-bindgen-cli "$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)" \
    wasm-bindgen --no-default-features
}

need_wasm_pack() { need_program wasm-pack 0.15.1 wasm-pack; }

need_cargo_fuzz() { need_program cargo-fuzz 0.13.2 cargo-fuzz; }

need_cargo_deny() { need_program cargo-deny 0.20.2 cargo-deny; }

need_browser() {
  local missing=()
  command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
  command -v chromedriver >/dev/null || missing+=(chromium-driver)
  # Three times as fast for what needs no window; without it the whole browser does all.
  command -v chromium-headless-shell >/dev/null || ((EUID != 0)) || ! command -v apt-get >/dev/null || missing+=(chromium-headless-shell)
  ((${#missing[@]} == 0)) || need_debian 'Chromium, or its driver,' "${missing[@]}"
}

# need_program <package> <version> <program> <flags…>
need_program() {
  local package=$1 version=$2 program=$3; shift 3
  [[ "$("$program" --version 2>/dev/null)" == "$program $version" ]] ||
    step "Installing $package $version, which takes minutes" install_program "$package" --version "$version" "$@"
}

# Built fast rather than to run fast. Where the lock file of a package names a crate version that the
# registry has no more, cargo picks its own.
install_program() {
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  unset RUSTFLAGS CARGO_TARGET_DIR
  cargo install --force --locked "$@" || cargo install --force "$@"
}

# need_debian <what is missing> <packages…>
need_debian() {
  local what=$1; shift
  command -v apt-get >/dev/null || stop "$what is missing: install it (on Debian: $*)."
  ((EUID == 0)) || stop "$what is missing: run apt-get install $* as root."
  step 'Reading the list of Debian packages' apt-get update
  step "Installing $*" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
