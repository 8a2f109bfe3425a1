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
export const KINDS = SOURCES.map(({ kind }) => kind);

// `decide` takes what a source told; `settings(kind)` is what the page said about a source in `init`.
export function makeSources(decide, { error, warn }, settings) {
  const hooked = []; // { source, client, leave }: who has left is not found again, only attached

  function hook(source, client, again) {
    let entry = hooked.find((entry) => entry.client === client && entry.source === source);
    if (!entry || (again && !entry.leave)) {
      let on = true; // some listeners can't be taken out again
      let detach;
      if (!entry) hooked.push((entry = { source, client }));
      // First, since a hook may bring decisions that lead here again.
      entry.leave = () => {
        on = entry.leave = undefined;
        attempt(detach);
      };
      detach = attempt(() => source.hook(
        client,
        (decision) => attempt(() => on && decision && decide(decision)),
        () => settings(source.kind),
        warn
      ));
    }
    return entry;
  }

  // What there is to hook: what fits, or the name it goes by. Who comes late is hooked at once: the module
  // may not run yet.
  const fitting = (source, candidates) => attempt(() => candidates().map(source.fits).filter(Boolean)) || [];
  const find = (source, named) => fitting(source, () => source.find(named, () => hookAll(source)));
  const hookAll = (source, named) => find(source, named).forEach((client) => hook(source, client));

  return {
    // `wanted` is the option `sources`.
    find(wanted) {
      for (const source of SOURCES) {
        const named = wanted.includes(source.kind);
        if (named || wanted === "auto") hookAll(source, named);
      }
    },

    attach(kind, client) {
      const source = SOURCES[KINDS.indexOf(kind)];
      let entries = [];
      if (!source) error(fault("attach", "argument 1", kind, oneOf(KINDS)));
      else {
        const clients = client === undefined ? find(source, true) : fitting(source, () => [client]);
        entries = clients.map((client) => hook(source, client, true));
        if (client === undefined && !entries.length) warn("attach: " + kind + " is not on this page yet");
        else if (!entries.length) error(fault("attach", "argument 2", client, source.wanted));
      }
      return () => entries.forEach((entry) => entry.leave?.());
    },

    shown: () => hooked.filter(({ leave }) => leave).map(({ source, client }) => ({
      name: source.kind,
      found: typeof client === "string" ? "window." + client : source.wanted,
      hooked: source.hooked,
    })),
  };
}
