// What is kept in the browser between pages. All names begin with PREFIX; the number is the version of
// their format. Where the browser does not keep it, the page's memory does.
import { attempt } from "./read.js";

const PREFIX = "decision-bridge/1/";
const LONGEST = 32000; // characters of an entry: any script of the site can have written there
const SHELVES = ["", "sessionStorage", "localStorage"];

// Where something is kept: on this page, in this tab, on this site.
export const PAGE = 0;
export const TAB = 1;
export const SITE = 2;

// Two tabs that open at the same time see nothing of each other's storage yet, but the same cookies, the
// oldest first; in Firefox cookies are late too, and storage has the last word. No other host can set these.
const CLAIM = "__Host-decision-bridge-";
const claims = () => attempt(() => document.cookie.split("; ").filter((pair) => pair.startsWith(CLAIM))) || [];
const setCookie = (pair, seconds) => attempt(() => (document.cookie = pair + ";secure;path=/;max-age=" + seconds));

export function makeStore(warn) {
  const memory = SHELVES.map(() => new Map());
  const trusted = []; // shelves that were seen to keep what is written
  let stores = [];

  const store = {
    /** An entry; empty when there is none. */
    read: (shelf, name) => String(memory[shelf].get(PREFIX + name) ?? attempt(() => stores[shelf]?.getItem(PREFIX + name)) ?? "").slice(0, LONGEST),

    /** Keeps an entry; says whether storage, and not only memory, has it. */
    write(shelf, name, entry) {
      const kept = attempt(() => {
        const isThere = () => stores[shelf]?.getItem(PREFIX + name) === entry;
        // What was there before proves nothing.
        const before = !trusted[shelf] && isThere();
        stores[shelf]?.setItem(PREFIX + name, entry);
        return before || (trusted[shelf] ||= isThere());
      });
      if (kept) memory[shelf].delete(PREFIX + name);
      else {
        memory[shelf].set(PREFIX + name, entry);
        if (shelf && stores.length) warn("storage is blocked or full: decisions are remembered on this page only");
      }
      return kept;
    },

    remove(shelf, name) {
      attempt(() => stores[shelf]?.removeItem(PREFIX + name));
      memory[shelf].delete(PREFIX + name);
    },

    /** Lays a claim, and answers with the first that was laid within some seconds in any tab. */
    claim(name) {
      setCookie(CLAIM + name + "=", 30);
      return claims()[0] || name;
    },

    /** The names of all entries that begin so, in alphabetical order. */
    names: (shelf, prefix) =>
      [...(attempt(() => Object.keys(stores[shelf])) || []), ...memory[shelf].keys()]
        .filter((name) => name.startsWith(PREFIX + prefix))
        .sort()
        .map((name) => name.slice(PREFIX.length)),

    /** Opens the browser's storages, which nobody has touched until now. */
    open() {
      // Even naming them throws where they are blocked.
      stores = SHELVES.map((name) => attempt(() => window[name]));
    },

    /** Forgets everything that was ever stored, and closes them again. */
    purge() {
      // Earlier pages may have stored what this one never opened.
      store.open();
      for (const shelf of [TAB, SITE]) for (const name of store.names(shelf, "")) store.remove(shelf, name);
      stores = [];
      for (const pair of claims()) setCookie(pair, 0);
      for (const shelf of memory) shelf.clear();
    },
  };
  return store;
}
