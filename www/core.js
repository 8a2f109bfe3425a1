// The core and its lives. It is Rust, speaks numbers only, and calls nothing: no page code ever runs
// within it. WebAssembly comes first; an instance that trapped is replaced once, then the fallback takes
// over, and is replaced once too. Where WebAssembly cannot run the fallback is the first: what a policy
// forbade is not tried again, since each attempt is a report to the page's owner.
import { moduleBytes } from "virtual:module";
import { fetchBeside } from "./beside.js";
import { later, steady, wall } from "./clock.js";

/* global FALLBACK_INTEGRITY: set by the build */

/**
 * `begin()` says that an instance runs, `end(state)` that there is none. Answers with `call(method,
 * …numbers)`, which gives nothing while there is none, with `ask`, the same for what hangs on no moment and
 * is asked often, with `hash` and `hex`.
 */
export function makeCore({ begin, end, report }, ...whereabouts) {
  let api; // what the instance that lives exports
  let kept = []; // [texts, their hash] of each of its registers
  let dead; // what it died of, until that was seen to
  let make; // makes an instance
  const rest = [boot, fall, boot]; // what to do when it dies, one after the other

  const ask = (method, ...numbers) => alive(() => api[method](...numbers));
  const call = (...told) => {
    alive(() => api.now(wall(), steady()));
    return ask(...told);
  };

  function alive(use) {
    if (dead) bury();
    try {
      return api && use();
    } catch (error) {
      api = undefined;
      dead = error;
      bury();
    }
  }

  // Where the stack is used up this comes to nothing, and is made up for at the next call.
  function bury() {
    const error = dead;
    end("stopped: " + error);
    // In a task of its own, and tried again further out.
    later(() => next(error));
    dead = undefined;
  }

  function boot() {
    later(make).then((made) => {
      api = made;
      kept = [];
      begin();
    }).catch(next);
  }

  function next(error) {
    const then = rest.shift() || giveUp;
    if (then !== giveUp) report.error("internal error, " + (then === boot ? "starting again" : "the fallback takes over") + ": " + error);
    then(error);
  }

  function fall() {
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
      make = () => WebAssembly.instantiate(module).then(({ exports }) => exports);
      boot();
    },
    (error) => {
      report.warn("WebAssembly cannot run, the fallback takes over; a Content-Security-Policy needs script-src 'wasm-unsafe-eval': " + error);
      rest.splice(0, 2);
      fall();
    }
  );

  /** What `keep` or `message_id` of the core made last, in 32 hexadecimal digits. */
  const hex = () => alive(() => [0, 1, 2, 3].map((word) => (api.word(word) >>> 0).toString(16).padStart(8, "0")).join(""));

  return {
    ask,
    call,
    hex,

    /** Puts the hash of these texts, each behind its length, into a register of the core; answers with it. */
    hash(register, ...texts) {
      const all = texts.map((text) => text.length + ":" + text).join("");
      // Most decisions are of the same visitor in the same period.
      if (kept[register]?.[0] !== all) {
        kept[register] = undefined;
        alive(() => {
          for (let at = 0; at < all.length; at++) api.letter(all.charCodeAt(at));
          api.keep(register);
          kept[register] = [all, hex()];
        });
      }
      return kept[register]?.[1];
    },
  };
}
