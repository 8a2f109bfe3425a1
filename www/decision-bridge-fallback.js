// The module without WebAssembly: the same Rust as plain JavaScript. `www/fallback.js` fetches it, and
// takes it over here.
import { instantiate } from "virtual:glue";
import { link } from "virtual:module";

const { take } = window[Symbol.for("decision-bridge")];
if (take) take((guard, page) => instantiate(link, guard, page));
