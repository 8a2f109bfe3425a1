// What the measured page runs beside the rival: analytics that are ready and only count, and a
// clock that runs while code of the rival runs: its callback, the promises that hang on it, and
// its timers.
window.arrived = [];
window.analytics = {
  initialized: true,
  VERSION: "1.84.3",
  track(...call) {
    if (arrived.push(call) === 1) window.firstAt = performance.now();
    return Promise.resolve({});
  },
};

const clock = { ms: 0 };

// Promise callbacks of the work just done are run before the last of these.
async function afterPromises() {
  for (let hop = 0; hop < 8; hop++) await null;
}

async function timed(work) {
  const start = performance.now();
  try {
    work();
    await afterPromises();
  } finally {
    clock.ms += performance.now() - start;
  }
}

const later = window.setTimeout;
window.setTimeout = (callback, ms, ...args) => later(() => timed(() => callback(...args)), ms);

function yieldToBrowser() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(port1.close());
    port2.postMessage(0);
  });
}

// The scope that guides describe.
function decided(index) {
  const id = String(21000000000000 + index * 7);
  return {
    campaignId: "1" + id,
    experimentId: "2" + id,
    variationId: "3" + id,
    campaign: { id: "1" + id, name: "Campaign " + index, policy: "single_experiment", integrationStringVersion: 2 },
  };
}
const state = {
  getDecisionObject({ campaignId }) {
    const id = campaignId.slice(1);
    return { experiment: "Experiment " + id + " (2" + id + ")", variation: "Variation " + id + " (3" + id + ")" };
  },
};
const extension = { eventName: "Experiment Viewed" };

function call(callback, { campaignId, experimentId, variationId, campaign }) {
  callback(campaignId, experimentId, variationId, false, campaign, extension, state);
}

/** Tells the callback `count` decisions in tasks of 100, and gives the µs per decision. */
async function feed(callback, count, sends) {
  const decisions = Array.from({ length: count }, (_, index) => decided(index));
  clock.ms = 0;
  for (let from = 0; from < count; from += 100) {
    await timed(() => {
      for (const decision of decisions.slice(from, from + 100)) call(callback, decision);
    });
    // The outbox holds 1000 at most.
    do await yieldToBrowser();
    while (sends && from + 100 - arrived.length > 500);
  }
  const deadline = performance.now() + 20000;
  while (sends && arrived.length < count && performance.now() < deadline) await yieldToBrowser();
  await new Promise((resolve) => later(resolve, 50));
  const distinct = new Set(arrived.map(([, properties]) => properties.experimentId)).size;
  return { us: (clock.ms * 1000) / count, arrived: arrived.length, distinct };
}
