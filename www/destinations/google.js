// Google's dataLayer: entries of gtag are `arguments`, and nothing else.
function gtag() {
  window.dataLayer.push(arguments);
}

export const ga4 = {
  kind: "ga4",
  send({ name, properties }) {
    (typeof window.gtag === "function" ? window.gtag : gtag)("event", name, properties);
    return "";
  },
};

export const gtm = {
  kind: "gtm",
  send({ name, properties }) {
    window.dataLayer.push({ event: name, ...properties });
    return "";
  },
};
