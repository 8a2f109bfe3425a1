// The rival: the callback that guides for Optimizely and Segment tell sites to paste, written anew
// from what they describe. It looks for window.analytics at once, then every 250 ms for 5 s; names
// come from the decision object, ids stand in for them.
function recipe(campaignId, experimentId, variationId, isHoldback, campaign, extension, state) {
  var decision = state.getDecisionObject({ campaignId: campaignId });
  var experiment = decision && decision.experiment;
  var variation = decision && decision.variation;
  var properties = {
    experimentId: String(experimentId),
    experimentName: (experiment && experiment.name) || String(experimentId),
    variationId: String(variationId),
    variationName: (variation && variation.name) || String(variationId),
    campaignId: String(campaignId),
    campaignName: (campaign && campaign.name) || String(campaignId),
    isHoldback: isHoldback,
  };
  var waited = 0;
  function send() {
    if (!window.analytics || typeof window.analytics.track !== "function") return false;
    window.analytics.track(extension.eventName || "Experiment Viewed", properties);
    return true;
  }
  if (send()) return;
  var timer = setInterval(function () {
    waited += 250;
    if (send() || waited >= 5000) clearInterval(timer);
  }, 250);
}
