// Google: GA4 through `gtag`, and Google Tag Manager. Both read `dataLayer`, which keeps everything for
// whoever comes, so that it is always ready. Entries of gtag are `arguments`, and nothing else.
import { can } from "../read.js";
import { MISSING, READY } from "./state.js";

function gtag() {
  window.dataLayer.push(arguments);
}

const hasQueue = () => can(window.dataLayer, "push");

export const ga4 = {
  kind: "ga4",
  state: () => (hasQueue() || can(window, "gtag") ? READY : MISSING),
  send: ({ name, properties }) => void (can(window, "gtag") ? window.gtag : gtag)("event", name, properties),
};

export const gtm = {
  kind: "gtm",
  state: () => (hasQueue() ? READY : MISSING),
  send: ({ name, properties }) => void window.dataLayer.push({ event: name, ...properties }),
};
