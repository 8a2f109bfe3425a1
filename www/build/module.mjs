// The WebAssembly module as bytes: only the exports that are ours, no sections that only tools read, and
// its text form for a script that has to be plain ASCII.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const CUSTOM = 0;
const IMPORT = 2;
const MEMORY = 5;
const EXPORT = 7;
const PAGE = 65536;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Keeps only our own exports, under short names, and drops custom sections. Tells what is called what. */
export function slim(bytes) {
  const sections = [];
  const names = new Map();
  for (const section of read(bytes)) {
    if (section.id === CUSTOM) continue;
    if (section.id === EXPORT) section.body = exports(section.body, names);
    sections.push(Buffer.from([section.id]), number(section.body.length), section.body);
  }
  return { bytes: Buffer.concat([bytes.subarray(0, 8), ...sections]), names };
}

/** The script with the short names, where it calls the module: `call("found", …)` and `api.now(…)`. */
export function shorten(script, names) {
  const called = new Set();
  const short = (name) => {
    if (!names.has(name)) throw new Error(`${name} is called, which the module does not have`);
    called.add(name);
    return names.get(name);
  };
  const text = script
    .replace(/\b(ask|call)\("(\w+)"/g, (_, how, name) => `${how}("${short(name)}"`)
    .replace(/\bapi\.(\w+)/g, (all, name) => (names.has(name) ? `api.${short(name)}` : all));
  for (const name of names.keys()) if (!called.has(name)) throw new Error(`nobody calls ${name}`);
  return text;
}

// What today's rustc emits. Named one by one, because --all-features makes imports no browser reads.
const FEATURES =
  "bulk-memory bulk-memory-opt call-indirect-overlong reference-types multivalue mutable-globals " +
  "nontrapping-float-to-int sign-ext";

// Measured in brotli, not in bytes: control flow built anew is 1 % smaller, and so is leaving alone
// the functions with one caller. The lowest KB is the far end of the stack, where no object lies.
const PASSES = "--low-memory-unused --one-caller-inline-max-function-size=1 -Oz --flatten --rereloop -Oz -Oz --converge";

/**
 * The same module after this wasm-opt, which is binaryen's from npm: Debian's writes modules that throw at start.
 * Without `features` it is of the first WebAssembly there was, and stays so.
 */
export function optimize(wasmOpt, bytes, path, features = FEATURES.split(" ").map((feature) => "--enable-" + feature)) {
  writeFileSync(path, bytes);
  const rest = ["--strip-debug", "--strip-producers", path, "-o", path];
  execFileSync(process.execPath, [wasmOpt, ...features, ...PASSES.split(" "), ...rest]);
  const optimized = readFileSync(path);
  if (read(optimized).some(({ id }) => id === IMPORT)) throw new Error("the module imports something, and no page code may run within it");
  return optimized;
}

/** Linear memory at start, in bytes. */
export function initialMemory(bytes) {
  const memory = read(bytes).find(({ id }) => id === MEMORY);
  const reader = new Reader(memory.body);
  reader.number(); // how many memories
  reader.number(); // flags: whether there is a maximum
  return reader.number() * PAGE;
}

function read(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = [];
  while (reader.at < bytes.length) {
    const id = reader.number();
    sections.push({ id, body: reader.take(reader.number()) });
  }
  return sections;
}

function exports(body, names) {
  const reader = new Reader(body);
  const own = [];
  for (let left = reader.number(); left > 0; left--) {
    const name = reader.name();
    const kind = reader.number();
    const index = reader.number();
    // rustc has wasm-bindgen's names, with the hash of the crate behind.
    const [, long] = /^([a-z]\w*)_[0-9a-f]{16}$/.exec(name) ?? [];
    if (long) own.push({ long, kind, index });
  }
  // By their names, so that every build calls them the same.
  own.sort((one, other) => (one.long < other.long ? -1 : 1));
  own.forEach(({ long }, at) => names.set(long, LETTERS[at]));
  return Buffer.concat([number(own.length), ...own.map(({ long, kind, index }) => Buffer.concat([text(names.get(long)), Buffer.from([kind]), number(index)]))]);
}

class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
  take(length) {
    return this.bytes.subarray(this.at, (this.at += length));
  }
  name() {
    return this.take(this.number()).toString();
  }
}

function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

function text(name) {
  return Buffer.concat([number(name.length), Buffer.from(name)]);
}

// Text form: 90 values to a character, `$` being 0, with a space or a `!` before a byte from the second or
// third 90. After brotli that costs 3 % over the bytes, hex digits 7 %, base64 33 %. No quote, no backslash.
const VALUES = 90;
const FIRST = "$".charCodeAt();
const BACKSLASH = "\\".charCodeAt();

function character(value) {
  const code = FIRST + value;
  return String.fromCharCode(code + (code >= BACKSLASH));
}

/** An ES module that exports `moduleBytes()`. */
export function asScript(bytes) {
  let text = "";
  for (const byte of bytes) text += ["", " ", "!"][Math.floor(byte / VALUES)] + character(byte % VALUES);
  // A plain loop: this runs once, before anything is compiled.
  return `export function moduleBytes() {
    const text = ${JSON.stringify(text)};
    const bytes = [];
    for (let at = 0, base = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code < ${FIRST}) base = ${VALUES} * (code - ${" ".charCodeAt() - 1});
      else {
        bytes.push(base + code - ${FIRST} - (code > ${BACKSLASH}));
        base = 0;
      }
    }
    return new Uint8Array(bytes);
  }`;
}
