// The module as plain JavaScript, for where WebAssembly cannot run: binaryen's wasm2js of the same
// crate, compiled for the first WebAssembly there was, which is all that wasm2js reads.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const LINK = /\nvar retasmFunc = asmFunc\(\{[^}]*\}\);\n(?:export var .*\n)+$/;

/** An ES module that exports `link()`, which makes an instance and gives its exports. */
export function asPlainScript(wasm2js, bytes, path) {
  writeFileSync(path, bytes);
  const text = execFileSync(process.execPath, [wasm2js, "-Oz", path, "-o", "-"], { encoding: "utf8", maxBuffer: 1e8 });
  if (!LINK.test(text)) throw new Error("www/build/fallback.mjs does not know what this wasm2js writes any more: " + LINK);
  return text.replace(LINK, "\n") + "export const link = () => asmFunc({});\n";
}
