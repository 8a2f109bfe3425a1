// The body of track_layer_decision, which Optimizely Web runs for every decision of a visitor. It
// only hands over what it finds in scope, and works before decision-bridge.js has loaded. Where
// Optimizely's client has no `state` or `decisionData` in scope, naming them plainly would throw.
var bridge = (window.decisionBridge = window.decisionBridge || []);
bridge.push([
  "trackLayerDecision",
  {
    campaignId: campaignId,
    experimentId: experimentId,
    variationId: variationId,
    isHoldback: isHoldback,
    campaign: typeof campaign === "undefined" ? undefined : campaign,
    extension: typeof extension === "undefined" ? undefined : extension,
    state: typeof state === "undefined" ? undefined : state,
    decisionData: typeof decisionData === "undefined" ? undefined : decisionData,
    decidedAt: Date.now(),
  },
]);
