// The core and its lives. It is Rust, speaks numbers only, and calls nothing: no page code ever runs
// within it. WebAssembly comes first; an instance that trapped is replaced once, then the fallback takes
// over, and is replaced once too. Where WebAssembly cannot run the fallback is the first: what a policy
// forbade is not tried again, since each attempt is a report to the page's owner.
import { moduleBytes } from "virtual:module";
import { fetchBeside } from "./beside.js";
import { steady, wall } from "./clock.js";

/* global FALLBACK_INTEGRITY: set by the build */
const later = (action) => Promise.resolve().then(action);

/**
 * `begin()` says that an instance runs, `end(state)` that there is none. Answers with `call(method,
 * …numbers)`, which gives nothing while there is none, and with `hash`.
 */
export function makeCore({ begin, end, report }, ...whereabouts) {
  let api; // what the instance that lives exports
  let make; // makes an instance
  let spare = 1; // how many may still replace one of their kind
  let fallen = false; // whether it is the fallback

  const call = (method, ...numbers) =>
    alive(() => {
      api.now(wall(), steady());
      return api[method](...numbers);
    });

  function alive(use) {
    try {
      return api && use();
    } catch (error) {
      api = undefined;
      end("stopped: " + error);
      // In a task of its own, and tried again further out: here the stack may be used up.
      later(() => next(error));
    }
  }

  function boot() {
    later(make).then((made) => {
      api = made;
      begin();
    }).catch(next);
  }

  function next(error) {
    const replaced = spare-- > 0;
    if (!replaced && fallen) return giveUp(error);
    report.error("internal error, " + (replaced ? "starting again" : "the fallback takes over") + ": " + error);
    if (replaced) boot();
    else fall();
  }

  function fall() {
    fallen = true;
    spare = 1;
    fetchBeside("fallback", FALLBACK_INTEGRITY, ...whereabouts).then((fallback) => {
      make = fallback;
      boot();
    }, giveUp);
  }

  function giveUp(error) {
    end("cannot run: " + error);
    report.error("no decision is sent any more: " + error);
  }

  later(() => WebAssembly.compile(moduleBytes())).then(
    (module) => {
      make = () => WebAssembly.instantiate(module, {}).then((instance) => instance.exports);
      boot();
    },
    (error) => {
      report.warn("WebAssembly cannot run here, the fallback takes over; a Content-Security-Policy that lets it run has script-src 'wasm-unsafe-eval': " + error);
      fall();
    }
  );

  return {
    call,

    /** Puts the hash of these texts into a register of the core, each behind its length. */
    hash(register, ...texts) {
      const all = texts.map((text) => text.length + ":" + text).join("");
      alive(() => {
        for (let at = 0; at < all.length; at++) api.letter(all.charCodeAt(at));
        api.keep(register);
      });
    },

    /** What was hashed last, in 32 hexadecimal digits. */
    hex: () => [0, 1, 2, 3].map((word) => (alive(() => api.word(word)) >>> 0).toString(16).padStart(8, "0")).join(""),
  };
}
