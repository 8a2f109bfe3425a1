// Fetches a file that lies beside our own script, for pages that need it.
import { makeScript } from "./script.js";

/**
 * Promises what `decision-bridge-<name>.js` hands over. `found` is where it finds us, `tag` our own, and
 * `address` its URL when it ran: a <base> may come later.
 */
export function fetchBeside(name, integrity, tag, found, address) {
  return new Promise((resolve, reject) => {
    const file = "decision-bridge-" + name + ".js";
    if (!address) throw file + " is not found: our own tag has no src";
    const url = new URL(file, address);
    const script = makeScript(url.href, tag.nonce);
    // The file of another host can only be checked where that host lets us read it, and that is known
    // of a tag with `crossorigin` alone. Else the check would keep out what comes from where our own
    // script came from, unchecked.
    if (tag.crossOrigin !== null || url.origin === self.origin) {
      script.crossOrigin = tag.crossOrigin;
      script.integrity = integrity;
    }
    script.onload = script.onerror = () => reject(url + " could not be loaded");
    found[name] = resolve;
    document.head.appendChild(script);
  });
}
