// OpenFeature's web SDK: a hook for the whole API. It tells of nothing that came before.
import { attempt } from "../page.js";

const KEY = Symbol.for("@openfeature/web-sdk/api");

export default {
  kind: "openFeature",
  wanted: "the OpenFeature API",
  fits: (client) => typeof client.addHooks === "function",
  find(named, look) {
    const api = window[KEY];
    // No event tells that it has come, and the flags that are read at once can't be had later.
    if (!(KEY in window)) {
      const property = { enumerable: true, configurable: true };
      const set = (value) => {
        Object.defineProperty(window, KEY, { ...property, value, writable: true });
        attempt(look);
      };
      Object.defineProperty(window, KEY, { ...property, set });
    }
    return api ? [api] : [];
  },
  hook(api, told) {
    let on = true;
    // `finally`, because a throw in `after` would give the page its default value. No hook can be
    // taken out again.
    api.addHooks({
      finally: ({ context }, details) => void (on && attempt(() => told({ ...details, targetingKey: context.targetingKey }))),
    });
    return () => (on = false);
  },
};
