// The lives of the module. WebAssembly comes first; an instance that died is replaced once, then the
// fallback takes over, and is replaced once too. Where WebAssembly cannot run the fallback is the first:
// what a policy forbade is not tried again, since each attempt is a report to the page's owner.
import { instantiate } from "virtual:glue";
import { moduleBytes } from "virtual:module";
import { fetchFallback } from "./fallback.js";

// `page` are the verbs an instance may use; `begin(api)` and `end(state)` tell the shell of its
// life, `tell` is the report's.
export function live(page, { begin, end, tell }, ...whereabouts) {
  let life = 0; // the number of the instance that lives
  let spare = 1; // how many may still replace one of their kind
  let make; // makes one
  let fallen = false; // whether it is the fallback

  // A throw out of an instance leaves it half alive. From then on it is never called again, and what
  // still runs of it ends with the next answer it gets.
  function through(members, mine) {
    const guarded = {};
    for (const name of Object.keys(members)) {
      const member = members[name];
      guarded[name] = typeof member !== "function" ? member : (...args) => {
        let told;
        try {
          if (mine === life) told = member(...args);
        } catch (error) {
          if (mine === life) died(error);
        }
        if (mine !== life) throw "this instance has stopped";
        return told;
      };
    }
    return guarded;
  }

  function boot() {
    const mine = ++life;
    later(() => make((members) => through(members, mine), through(page, mine)))
      .then((api) => {
        // No number is given twice on a page.
        api.start((mine - 1) * 1e6);
        begin(api);
      })
      .catch((error) => mine === life && died(error));
  }

  function died(error) {
    // Where the stack is used up this throws, and is tried again further out.
    later(() => next(error));
    life++;
    end("stopped: " + error);
  }

  function next(error) {
    const replaced = spare-- > 0;
    if (!replaced && fallen) return giveUp(error);
    tell("error", 0, "internal error, " + (replaced ? "starting again" : "the fallback takes over") + ": " + error);
    if (replaced) boot();
    else fall();
  }

  function fall() {
    fallen = true;
    spare = 1;
    fetchFallback(...whereabouts).then((fallback) => {
      make = fallback;
      boot();
    }, giveUp);
  }

  function giveUp(error) {
    end("cannot run: " + error);
    tell("error", 0, "no decision is sent any more: " + error);
  }

  later(() => WebAssembly.compile(moduleBytes())).then(
    (module) => {
      const link = (imports) => WebAssembly.instantiate(module, imports).then(({ exports }) => exports);
      make = (guard, page) => instantiate(link, guard, page);
      boot();
    },
    (error) => {
      const allowed = "; a Content-Security-Policy that lets it run has script-src 'wasm-unsafe-eval': ";
      tell("warning", 0, "WebAssembly cannot run here, the fallback takes over" + allowed + error);
      fall();
    }
  );
}

function later(action) {
  return Promise.resolve().then(action);
}
