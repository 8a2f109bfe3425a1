// Signals: what in the address bar, the cookies and the tab's storage shows that this is no visitor but
// somebody previewing (a draft, a forced variation) or the site's own QA.
import { attempt, pairs } from "./read.js";

// The preview signals of the experiment tools, as `name=value` of the query, of a cookie and of an entry
// of sessionStorage. Most count unless they are empty, `false` or `0`, as `optimizely_embed_editor=false`
// stands in ordinary links. Everybody who shows one is taken off every tool's data: who previews a draft
// in one of them is no visitor to the others either. They are of Optimizely Web, VWO, AB Tasty, Convert,
// Kameleoon, Adobe Target, Webtrends Optimize, Amplitude, A vs B.
const PREVIEW = {
  "?": /^((optimizely_(token|x(_audiences)?|preview_(layer_ids|mode_CAMPAIGN)|p13n|(embed_)?editor|show_preview|(project|experiment|variation)_id)|_vis_preview_data|abtasty_qa_assistant(_token)?|kameleoon-simulation|(at|avsb)_preview_token)=(?!(false|0)?$)|_vis_opt_preview_combination=|(ab_project=|convert_action=convert_v)preview$|_wt\.mode=staging$|PREVIEW=true$)/,
  ";": /^(optimizely(Preview|Token)|debug_vis_preview_.*|kameleoonSimulationParameters|at_qa_mode)=(?!(false|0)?$)/,
  "#": /=(?!(false|0)?$)/,
};
const ENTRIES = ["optimizely_embed_editor", "amp-preview-mode"];

// With this parameter somebody asks Optimizely to track although he previews: live QA.
const FORCE_TRACKING = "optimizely_force_tracking";
const LABELS = { "?": " (query)", ";": " (cookie)", "#": " (sessionStorage)" };

let first; // the query the page was loaded with: some tools tidy the address

/** The pairs of the query the page was loaded with and of the one it has now, and of the cookies. */
export function look() {
  first ??= attempt(() => new URL(performance.getEntriesByType("navigation")[0].name).search.slice(1)) || "";
  const query = location.search.slice(1);
  return { "?": pairs(first === query ? query : first + "&" + query, "&"), ";": pairs(attempt(() => document.cookie), ";") };
}

export const isForcedTracking = (signal) => signal.startsWith(FORCE_TRACKING);

/** The preview signal that the page shows, by name; `entry(name)` reads sessionStorage where that is allowed. */
export function preview(shown, entry) {
  const all = { ...shown, "#": ENTRIES.map((name) => [name, entry(name) || ""]) };
  for (const [place, signals] of Object.entries(PREVIEW)) {
    const found = all[place].find((pair) => signals.test(pair.join("=")));
    if (found) return found[0] + LABELS[place];
  }
  return "";
}

/** The QA signal that the page shows, of the site's own or Optimizely's; empty when there is none. */
export function qa(shown, { params, cookies }) {
  // Any value counts, even `false`.
  if (shown["?"].some(([name, value]) => name === FORCE_TRACKING && value)) return FORCE_TRACKING + LABELS["?"];
  for (const [place, own] of [["?", params], [";", cookies]]) {
    const found = own.find((entry) => shown[place].some(([name, value]) => entry === name || entry === name + "=" + value));
    if (found) return found + LABELS[place];
  }
  return "";
}
