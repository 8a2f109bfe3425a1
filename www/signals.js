// Signals: what in the address bar, the cookies and the tab's storage shows that this is no visitor but
// somebody previewing (a draft, a forced variation) or the site's own QA.
import { attempt, pairs } from "./read.js";

// The preview signals of the experiment tools: `?` a query parameter, `;` a cookie, `#` an entry of
// sessionStorage. Behind it what makes it one: `=value` this value, `!` any value at all, `*` a name that
// begins so; else a value that is not empty, `false` or `0`, as `optimizely_embed_editor=false` stands in
// ordinary links. Everybody who shows one is taken off every tool's data: who previews a draft in one of
// them is no visitor to the others either. In this order: Optimizely Web, VWO, AB Tasty, Convert,
// Kameleoon, Adobe Target, Webtrends Optimize, Amplitude, A vs B.
const PREVIEW =
  "?optimizely_token ?optimizely_x ?optimizely_x_audiences ?optimizely_preview_layer_ids ?optimizely_preview_mode_CAMPAIGN " +
  "?optimizely_embed_editor ?optimizely_p13n ?optimizely_editor ?optimizely_show_preview ?optimizely_project_id " +
  "?optimizely_experiment_id ?optimizely_variation_id ;optimizelyPreview ;optimizelyToken #optimizely_embed_editor " +
  "?_vis_opt_preview_combination! ?_vis_preview_data ;debug_vis_preview_* " +
  "?ab_project=preview ?abtasty_qa_assistant ?abtasty_qa_assistant_token " +
  "?convert_action=convert_vpreview ?kameleoon-simulation ;kameleoonSimulationParameters " +
  "?at_preview_token ;at_qa_mode ?_wt.mode=staging ?PREVIEW=true #amp-preview-mode ?avsb_preview_token";

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
  for (const signal of PREVIEW.split(" ")) {
    const [, place, name, sign, wanted] = /^(.)([^=!*]+)(.?)(.*)$/.exec(signal);
    const all = place === "#" ? [[name, entry(name) || ""]] : shown[place];
    const is = ([known, value]) =>
      (sign === "*" ? known.startsWith(name) : known === name) &&
      (sign === "=" ? value === wanted : sign || !["", "false", "0"].includes(value));
    if (all.some(is)) return name + LABELS[place];
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
