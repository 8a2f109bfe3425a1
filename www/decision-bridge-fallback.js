// The core without WebAssembly: the same Rust as plain JavaScript. `www/fallback.js` fetches it, and takes
// it over here.
import { link } from "virtual:module";

const { take } = window[Symbol.for("decision-bridge")];
if (take) take(link);
