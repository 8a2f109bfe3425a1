// The sources that have to be hooked: finds the SDKs that are on the page, hooks each client once,
// and hands on what they bring. A new one is a file below and a line here.
import { attempt, fault, oneOf } from "./read.js";
import avsb from "./sources/avsb.js";
import growthbook from "./sources/growthbook.js";
import openFeature from "./sources/open-feature.js";
import optimizelyFeature from "./sources/optimizely-feature.js";
import optimizelyWeb from "./sources/optimizely-web.js";
import statsig from "./sources/statsig.js";

const SOURCES = [optimizelyWeb, optimizelyFeature, statsig, growthbook, openFeature, avsb];
const KINDS = SOURCES.map(({ kind }) => kind);

// `decide` takes what a source told; `settings(kind)` is what the page said about a source in `init`.
export function makeSources(decide, { error, warn }, settings) {
  const hooked = []; // { source, client, detach, left }: who has left is not found again, only attached

  function hook(source, client, again) {
    let entry = hooked.find((entry) => entry.client === client && entry.source === source);
    if (!entry || (again && entry.left)) {
      const { kind } = source;
      if (!entry) hooked.push((entry = { source, client })); // first, since a hook may bring decisions that lead here again
      entry.left = false;
      entry.detach = attempt(() => source.hook(
        client,
        (decision) => void attempt(() => decision && decide(decision)),
        () => settings(kind),
        warn
      ));
    }
    return entry;
  }

  // Who comes late is hooked at once: the module may not run yet.
  const find = (source, named) => attempt(() => source.find(named, () => find(source, named).forEach((client) => hook(source, client))))?.filter(Boolean) || [];

  return {
    kinds: KINDS,

    // `wanted` is the option `sources`.
    find(wanted) {
      for (const source of SOURCES) {
        const named = wanted.includes(source.kind);
        if (named || wanted === "auto") for (const client of find(source, named)) hook(source, client);
      }
    },

    attach(kind, client) {
      const source = SOURCES[KINDS.indexOf(kind)];
      // Whether it is such a client, or the name it goes by.
      const fits = client === undefined || (source && attempt(() => source.fits(client)));
      if (!source) {
        error(fault("attach", "argument 1", kind, oneOf(KINDS)));
      } else if (!fits) {
        error(fault("attach", "argument 2", client, source.wanted));
      } else {
        const clients = client === undefined ? find(source, true) : [fits === true ? client : fits];
        if (!clients.length) warn("attach: " + kind + " is not on this page yet");
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
