// Google: GA4 through `gtag`, and Google Tag Manager. Both read `dataLayer`, which keeps everything for
// whoever comes, so that it is always ready. Entries of gtag are `arguments`, and nothing else.
import { at } from "../read.js";
import { MISSING, READY } from "./state.js";

function gtag() {
  window.dataLayer.push(arguments);
}

const ready = (...paths) => (paths.some((path) => typeof at(window, path) === "function") ? READY : MISSING);

export const ga4 = {
  kind: "ga4",
  state: () => ready("dataLayer.push", "gtag"),
  send: ({ name, properties }) => void (typeof window.gtag === "function" ? window.gtag : gtag)("event", name, properties),
};

export const gtm = {
  kind: "gtm",
  state: () => ready("dataLayer.push"),
  send: ({ name, properties }) => void window.dataLayer.push({ event: name, ...properties }),
};
