// The module as plain JavaScript, for where WebAssembly cannot run: binaryen's wasm2js of the same
// crate, compiled for the first WebAssembly there was, which is all that wasm2js reads.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const IMPORT = /^import \* as \S+ from '[^']+';\n/;
const LINK = /\nvar retasmFunc = asmFunc\(\{[^}]*\}\);\n(?:export var .*\n)+$/;

/** An ES module that exports `link(imports)`, which makes an instance and promises its exports. */
export function asPlainScript(wasm2js, bytes, path) {
  writeFileSync(path, bytes);
  const text = execFileSync(process.execPath, [wasm2js, "-Oz", path, "-o", "-"], { encoding: "utf8", maxBuffer: 1e8 });
  for (const part of [IMPORT, LINK]) {
    if (!part.test(text)) throw new Error("www/build/fallback.mjs does not know what this wasm2js writes any more: " + part);
  }
  const body = text.replace(IMPORT, "").replace(LINK, "\n");
  return body + "export const link = (imports) => Promise.resolve(imports).then(asmFunc);\n";
}
