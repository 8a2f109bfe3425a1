// Who the visitor is, to Segment and to Statsig: what keeps the two, and the times before and after a
// login, together.
import { attempt, written } from "./read.js";
import { SITE } from "./store.js";

// The ids Segment knows the visitor by: asked of the real analytics.js, which has an anonymousId from
// then on, else read where it keeps them.
export function known() {
  const user = attempt(() => (window.analytics.instance || window.analytics).user());
  const real = !!user && typeof user.anonymousId === "function";
  const [id, anonymousId] = real ? [user.id(), user.anonymousId()] : [stored("ajs_user_id"), stored("ajs_anonymous_id")];
  return { real, id: id ? String(id) : "", anonymousId: anonymousId || "" };
}

function stored(name) {
  const cookie = attempt(() => decodeURIComponent(new RegExp("(?:^|; )" + name + "=([^;]*)").exec(document.cookie)[1]));
  const text = cookie || attempt(() => localStorage.getItem(name)) || "";
  return text.replace(/^"(.*)"$/, "$1").replace(/^null$/, "");
}

// What a tool's promise rejects with is nobody's unhandled rejection.
export const quiet = (result, then) => void Promise.resolve(result).then(then, () => {});

const parsed = (text) => attempt(() => JSON.parse(text));

// The trait `experiments`: which variation of each experiment this visitor has seen. Segment merges
// traits shallowly, so it is always told all of it: what we know, what it knows itself, what is new.
export function makeTraits(page) {
  const NAME = "experiments";
  let told; // on this page
  let waits;
  return (experiments, period) => {
    const { anonymousId } = known();
    const entry = parsed(page.read(SITE, NAME)) || {};
    // Another visitor, after a logout or a change of user, begins anew.
    const ours = !entry.of || entry.of === anonymousId ? entry.all : {};
    const theirs =
      attempt(() => window.analytics.user().traits().experiments) ||
      attempt(() => parsed(localStorage.getItem("ajs_user_traits")).experiments);
    const all = { ...theirs, ...ours, ...experiments };
    const text = written(all);
    const save = (period) => page.write(SITE, NAME, written({ of: known().anonymousId, all, period }));
    if (text === told || (entry.period === period && text === written(entry.all))) return () => told === text && save(period);
    told = text;
    save();
    // Several exposures at once are one call.
    waits ||
      Promise.resolve().then(() => {
        waits = false;
        attempt(() => quiet(window.analytics.identify({ experiments: JSON.parse(told) })));
      });
    waits = true;
    // Only now nothing has to be told again in this period: what a stub holds may never leave.
    return () => told === text && save(period);
  };
}

// Calls `alias` once for each visitor who was anonymous and is known now. Whether it was sent is
// remembered when it was; until then the next page sends it again, with the same messageId.
export function makeAlias(page) {
  const NAME = "alias";
  const under = new Set(); // under way
  return ({ real, id, anonymousId }) => {
    // The anonymousId of a visitor seen anonymous, `?` before there is one; and who was aliased.
    const read = () => parsed(page.read(SITE, NAME)) || ["", []];
    const write = (entry) => page.write(SITE, NAME, written(entry));
    const [seen, done] = read();
    if (!id) {
      const now = anonymousId || "?";
      if (now !== seen) write([now, done]);
      return;
    }
    const pair = anonymousId + " " + id;
    if (!real || !(seen === "?" || seen === anonymousId) || done.includes(pair) || under.has(pair)) return;
    under.add(pair);
    const finished = () => write(["", [...read()[1], pair].slice(-20)]);
    const messageId = ("db-alias " + pair).slice(0, 100);
    quiet(window.analytics.alias(id, anonymousId, { messageId }), finished);
  };
}

// Brings Segment's anonymousId to the users of all Statsig clients, and again where the page sets a
// user without it. `again` asks for another look.
export function makeStatsig(again) {
  const clients = new Map(); // how often each was told, or that it is being told

  function bring(client, id) {
    if (!clients.has(client)) {
      clients.set(client, 0);
      client.on("values_updated", again);
    }
    const { user } = client.getContext();
    const times = clients.get(client);
    // A page that takes it away each time has its way in the end.
    if (client.loadingStatus !== "Ready" || !(times < 10) || (user.customIDs || {}).segmentAnonymousId === id) return;
    clients.set(client, NaN);
    const next = { ...user, customIDs: { ...user.customIDs, segmentAnonymousId: id } };
    const data = client.dataAdapter;
    const change = () => {
      clients.set(client, times + 1);
      const now = client.getContext().user;
      if (JSON.stringify(now) !== JSON.stringify(user)) return again();
      // Where nothing comes for the new user, what holds for the old one goes on.
      const old = data.getDataSync(user);
      if (old && !data.getDataSync(next)) data.setDataLegacy(old.data, next);
      client.updateUserSync(next, { disableBackgroundCacheRefresh: true });
    };
    // First fetched, then changed at once: in between, each evaluation would find no values, and
    // Statsig would log that as an exposure.
    quiet(data.prefetchData(next).then(change, change));
  }

  return (id) => {
    for (const client of Object.values(window.__STATSIG__.instances)) attempt(() => bring(client, id));
  };
}

// What Segment's events are given for Statsig.
export function statsigProperties({ customIDs, custom, environment }) {
  const added = {};
  const ids = Object.entries(customIDs).flat().map(String);
  const others = Object.entries(custom).flat();
  if (ids.length) added.statsigCustomIDs = ids;
  if (others.length) added.statsigCustom = others;
  if (environment) added.statsigEnvironment = { tier: environment };
  return added;
}
