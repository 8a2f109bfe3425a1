// Fetches the module without WebAssembly, which lies beside our own script.
import { makeScript } from "./script.js";

/* global FALLBACK_INTEGRITY: set by the build */
const NAME = "decision-bridge-fallback.js";

// Promises what makes an instance; `run` is where the file finds us. `tag` is our own, and `address`
// its URL when it ran: a <base> may come later.
export function fetchFallback(tag, run, address) {
  return new Promise((found, failed) => {
    if (!address) throw NAME + " lies beside our script, and the address of that is not known: its tag has no src";
    const url = new URL(NAME, address);
    const script = makeScript(url.href, tag.nonce);
    // The file of another host can only be checked where that host lets us read it, and that is known
    // of a tag with `crossorigin` alone. Else the check would keep out what comes from where our own
    // script came from, unchecked.
    if (tag.crossOrigin !== null || url.origin === self.origin) {
      script.crossOrigin = tag.crossOrigin;
      script.integrity = FALLBACK_INTEGRITY;
    }
    script.onload = script.onerror = () => failed(url + " could not be loaded");
    run.take = found;
    document.head.appendChild(script);
  });
}
