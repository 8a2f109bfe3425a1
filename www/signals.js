// Signals: what in the address bar, the cookies and the tab's storage shows that this is no visitor but
// somebody previewing (a draft, a forced variation) or the site's own QA.
import { attempt, pairs } from "./read.js";
import { steady } from "./clock.js";
import { TAB } from "./store.js";

// The preview signals of the experiment tools, as `name=value` of the query, of a cookie and of an entry
// of sessionStorage. Most count unless they are empty, `false` or `0`, as `optimizely_embed_editor=false`
// stands in ordinary links. Everybody who shows one is taken off every tool's data: who previews a draft
// in one of them is no visitor to the others either. They are of Optimizely Web, VWO, AB Tasty, Convert,
// Kameleoon, Adobe Target, Webtrends Optimize, Amplitude, A vs B.
const PREVIEW = [
  /^((optimizely_(token|x(_audiences)?|preview_(layer_ids|mode_CAMPAIGN)|p13n|(embed_)?editor|show_preview|(project|experiment|variation)_id)|_vis_preview_data|abtasty_qa_assistant(_token)?|kameleoon-simulation|(at|avsb)_preview_token)=(?!(false|0)?$)|_vis_opt_preview_combination=|(ab_project=|convert_action=convert_v)preview$|_wt\.mode=staging$|PREVIEW=true$)/,
  /^(optimizely(Preview|Token)|debug_vis_preview_.*|kameleoonSimulationParameters|at_qa_mode)=(?!(false|0)?$)/,
  /=(?!(false|0)?$)/,
];
const ENTRIES = ["optimizely_embed_editor", "amp-preview-mode"];

// With this parameter somebody asks Optimizely to track although he previews: live QA.
const FORCE_TRACKING = "optimizely_force_tracking";
const PLACES = ["query", "cookie", "sessionStorage"];

const SIGNALS_MS = 1000; // how often the page is searched at most

let first; // the query the page was loaded with: some tools tidy the address

/** The pairs of the query the page was loaded with and of the one it has now, and those of the cookies. */
export function look() {
  first ??= attempt(() => new URL(performance.getEntriesByType("navigation")[0].name).search) || "";
  return [pairs(first + "&" + location.search, "&"), pairs(attempt(() => document.cookie), ";")];
}

export const isForcedTracking = (signal) => signal.startsWith(FORCE_TRACKING);

/** The preview signal that the page shows, by name; `entry(name)` reads sessionStorage where that is allowed. */
export const preview = (shown, entry) => signal([...shown, ENTRIES.map((name) => [name, entry(name)])], (pair, place) => PREVIEW[place].test(pair.join("=")));

/** The QA signal that the page shows, Optimizely's or of the site's own; empty when there is none. */
export const qa = (shown, { params, cookies }) =>
  // Any value counts, even `false`.
  signal(shown, ([name, value], place) => !place && name === FORCE_TRACKING && value) ||
  signal(shown, ([name, value], place) => [params, cookies][place].some((own) => own === name || own === name + "=" + value));

// The first that is one, and where it is.
const signal = (all, isSignal) =>
  all
    .map((pairs, place) => {
      const found = pairs.find((pair) => isSignal(pair, place));
      return found && found[0] + " (" + PLACES[place] + ")";
    })
    .find((named) => named) || "";

/** What this page shows, or an earlier one showed in this tab. */
export function makeSignals(store) {
  let lookedAt;
  let query;
  let mayRead;

  // It counts for the rest of the tab's life.
  function kept(name, found) {
    found ||= store.read(TAB, name);
    // Again, where only memory had it before there was consent.
    if (found) store.write(TAB, name, found);
    return found;
  }

  const signals = {
    /** The signals by name; empty when there is none. */
    preview: "",
    qa: "",

    /** Finds out, where that may have changed; `granted` says whether storage may be read. */
    look({ qaSignals }, granted) {
      if (query === location.search && mayRead === granted && steady() - lookedAt <= SIGNALS_MS) return;
      lookedAt = steady();
      query = location.search;
      mayRead = granted;
      const shown = look();
      signals.qa = kept("qa", qa(shown, qaSignals));
      signals.preview = kept("preview", preview(shown, (name) => granted && attempt(() => sessionStorage[name])));
    },
  };
  return signals;
}
