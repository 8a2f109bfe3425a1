// OpenFeature's web SDK: a hook for the whole API. It tells of nothing that came before.
import { attempt } from "../page.js";
import { late } from "./late.js";

const KEY = Symbol.for("@openfeature/web-sdk/api");

export default {
  kind: "openFeature",
  wanted: "the OpenFeature API",
  hooked: "finally",
  fits: (client) => typeof client.addHooks === "function",
  find(named, look) {
    // No event tells that it has come, and the flags that are read at once can't be had later.
    late(KEY, look);
    return window[KEY] ? [window[KEY]] : [];
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
