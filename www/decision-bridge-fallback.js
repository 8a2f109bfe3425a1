// The core without WebAssembly: the same Rust as plain JavaScript. `www/core.js` fetches it.
import { link } from "virtual:module";

const { fallback } = window[Symbol.for("decision-bridge")];
if (fallback) fallback(link);
