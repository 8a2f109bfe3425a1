// The sources that have to be hooked: finds the SDKs that are on the page, hooks each client once,
// and hands what they bring to the module. A new one is a file below and a line here.
import { attempt } from "./page.js";
import avsb from "./sources/avsb.js";
import growthbook from "./sources/growthbook.js";
import openFeature from "./sources/open-feature.js";
import optimizelyFeature from "./sources/optimizely-feature.js";
import optimizelyWeb from "./sources/optimizely-web.js";
import statsig from "./sources/statsig.js";

const SOURCES = [optimizelyWeb, optimizelyFeature, statsig, growthbook, openFeature, avsb];

// `run(method, arguments)` calls the module, now or once it runs; `settings(kind)` is what the page
// said about a source in `init`.
export function makeSources(run, tell, settings) {
  const hooked = []; // { source, client, detach, left }: who has left is not found again, only attached

  function hook(source, client, again) {
    let entry = hooked.find((entry) => entry.client === client && entry.source === source);
    if (!entry || (again && entry.left)) {
      const { kind } = source;
      if (!entry) hooked.push((entry = { source, client })); // first, since a hook may bring decisions that lead here again
      entry.left = false;
      entry.detach = attempt(() => source.hook(
        client,
        (event, at) => attempt(() => run("decided", [kind, event, client, settings(kind)], at)),
        () => settings(kind),
        (text) => tell("warning", 0, text)
      ));
    }
    return entry;
  }

  // Who comes late is hooked at once: the module may not run yet.
  const find = (source, named) => attempt(() => source.find(named, () => find(source, named).forEach((client) => hook(source, client)))) || [];

  return {
    find(names, all) {
      for (const source of SOURCES) {
        const named = names.split(" ").includes(source.kind);
        if (all || named) for (const client of find(source, named)) hook(source, client);
      }
    },

    attach(kind, client) {
      const source = SOURCES.find((source) => source.kind === kind);
      const wrong = (place, came, wanted) => tell("error", 0, "attach: argument " + place + " is " + came + ", must be " + wanted);
      if (!source) {
        wrong(1, attempt(() => JSON.stringify(kind)) || typeof kind, SOURCES.map((source) => JSON.stringify(source.kind)).join(" or "));
      } else if (client !== undefined && !attempt(() => source.fits(client))) {
        wrong(2, client === null ? "null" : "of type " + typeof client, source.wanted);
      } else {
        const clients = client === undefined ? find(source, true) : [source.known ? source.known(client) : client];
        if (!clients.length) tell("warning", 0, "attach: " + kind + " is not on this page yet");
        const entries = clients.map((client) => hook(source, client, true));
        return () => entries.forEach((entry) => {
          if (!entry.left) attempt(entry.detach);
          entry.left = true;
        });
      }
      return () => {};
    },

    shown: () => hooked.filter(({ left }) => !left).map(({ source, client }) => ({
      name: source.kind,
      found: typeof client === "string" ? "window." + client : source.wanted,
      hooked: source.hooked,
    })),
  };
}
