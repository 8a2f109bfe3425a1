// wasm-bindgen's glue, made over: its loader goes, and in its place comes one function that makes
// a fresh instance each time it is called. A module that trapped is never used again, so all the
// state of the glue has to be new for the next one.

const HEAD = `let wasm_bindgen = (function(exports) {
    let script_src;
    if (typeof document !== 'undefined' && document.currentScript !== null) {
        script_src = new URL(document.currentScript.src, location.href).toString();
    }
`;
const TAIL = "    let wasmModule, wasmInstance, wasm;\n";
const START = "wasm.__wbindgen_start();";

// `link(imports)` makes an instance and promises its exports; `page` is what Rust names by
// `js_namespace = page`.
const OWN_HEAD = `export function instantiate(link, guard, page) {
    const exports = {};
`;
const OWN_TAIL = `    let wasm;
    return link(__wbg_get_imports()).then((members) => {
        wasm = guard(members);
        ${START}
        return exports;
    });
}
`;

// For browsers older than the ones we build for.
const POLYFILL = /\n {4}if \(!\('encodeInto' in cachedTextEncoder\)\) \{\n[\s\S]*?\n {4}\}\n/g;

// The glue keeps views of the memory and asks whether their buffer was detached. Without WebAssembly
// a memory that grows leaves its old buffer as it is.
const STALE = [
  [/cachedDataViewMemory0\.buffer\.detached === true \|\| \(.*?wasm\.memory\.buffer\)/g, "cachedDataViewMemory0.buffer !== wasm.memory.buffer"],
  [/cachedUint8ArrayMemory0\.byteLength === 0/g, "cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer"],
];

/** The glue as an ES module that exports `instantiate(link, guard, page)`, of wasm-bindgen's `no-modules` text. */
export function adapt(text) {
  const start = once(text, HEAD, "its beginning");
  const end = once(text, TAIL, "the beginning of its loader");
  if (start !== 0) throw unknown("its beginning");
  const body = text.slice(HEAD.length, end);
  if (body.match(POLYFILL)?.length > 1) throw unknown("the part about encodeInto");
  // A module without references to JavaScript values has nothing to do at its start.
  const tail = text.includes(START) ? OWN_TAIL : OWN_TAIL.replace(START, "");
  return OWN_HEAD + body.replace(POLYFILL, "") + tail;
}

/** The same glue for a module that is plain JavaScript. */
export function withoutWebAssembly(text) {
  for (const [pattern, by] of STALE) text = replaceOnce(text, pattern, by, "how it sees that the memory grew");
  return text;
}

/** Gives every import and export of the module its short name, in the glue too. */
export function rename(text, { imports, exports, importModule }) {
  for (const [long, short] of imports) {
    text = replaceOnce(text, new RegExp(`^( {12})${escaped(long)}(?=: )`, "gm"), `$1${short}`, `the import ${long}`);
  }
  text = replaceOnce(text, new RegExp(`"${escaped(importModule[0])}"(?=: import0)`, "g"), importModule[1], "the import object");
  return text.replace(/\bwasm\.([\w$]+)/g, (all, long) => {
    if (!exports.has(long)) throw unknown(`the export ${long}, which the module does not have`);
    return "wasm." + exports.get(long);
  });
}

/** The names of exports that the glue uses. */
export function usedExports(text) {
  return new Set([...text.matchAll(/\bwasm\.([\w$]+)/g)].map(([, name]) => name));
}

function once(text, part, what) {
  const at = text.indexOf(part);
  if (at < 0 || text.indexOf(part, at + 1) >= 0) throw unknown(what);
  return at;
}

function replaceOnce(text, pattern, by, what) {
  if (text.match(pattern)?.length !== 1) throw unknown(what);
  return text.replace(pattern, by);
}

function escaped(name) {
  return name.replace(/[$.*+?^{}()|[\]\\/]/g, "\\$&");
}

function unknown(what) {
  return new Error(`www/build/glue.mjs does not know the glue of this wasm-bindgen any more: ${what} is not there exactly once`);
}
