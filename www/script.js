// A script element that the page's policies let through, where they let any through.
let policy;

export function makeScript(url, nonce) {
  const script = document.createElement("script");
  if (nonce) script.nonce = nonce;
  script.src = trusted(url);
  return script;
}

// Where Trusted Types are enforced, the page has to allow our policy, and allows it once.
function trusted(url) {
  try {
    policy ??= window.trustedTypes.createPolicy("decision-bridge", { createScriptURL: (same) => same });
    return policy.createScriptURL(url);
  } catch {
    return url;
  }
}
