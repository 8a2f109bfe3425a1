// Uses every public type, rightly and wrongly. Only compiled: `tsc` complains of a wrong use that
// it no longer notices as much as of a right one that it refuses.
import type { Call, DecisionBridge, DecisionInput, LayerDecision, Options, Report } from "../../www/decision-bridge.js";

// The tag's line, and code that only pushes.
window.decisionBridge = window.decisionBridge || [];
decisionBridge.push(["init", { writeKey: "abc_123" }]);
decisionBridge.push(["init"], ["flush"], ["diagnose"], ["consent", true]);
decisionBridge.push(["on", "dropped", (decision) => decision.reason?.toUpperCase()]);
decisionBridge.push(["attach", "statsig", {}], ["attach", "optimizelyWeb"]);
decisionBridge.push(["trackDecision", { experimentKey: "hero", variationKey: "b" }]);
decisionBridge.push(["trackDecision", "hero", "b", { variantName: "Bold", assignedAt: new Date() }]);
const kept: Call[] = [];
kept.push(["flush"]);

// @ts-expect-error no such method
decisionBridge.push(["initialise", {}]);
// @ts-expect-error what is pushed is a list
decisionBridge.push("init");
// @ts-expect-error consent is true or false
decisionBridge.push(["consent", "yes"]);
// @ts-expect-error no such event
decisionBridge.push(["on", "sent", () => {}]);
// @ts-expect-error no methods before the script has arrived
decisionBridge.flush();

const all: Options = {
  writeKey: "abc",
  cdnUrl: "https://cdn.example.com",
  eventName: "Experiment Viewed",
  propertyCase: "snake_case",
  properties: { site: "shop", version: 3, beta: true },
  sources: ["optimizelyWeb", "optimizelyFeature", "statsig"],
  sourceOptions: { statsig: { gates: true }, openFeature: { flags: ["hero"], reasons: ["SPLIT"] }, avsb: { dataLayerEvent: "seen" } },
  destinations: ["segment"],
  identify: true,
  pollIntervalMs: 100,
  maxWaitMs: 10_000,
  carryOverMs: 0,
  dedupe: "visitor",
  sessionTimeoutMs: 60_000,
  preview: "mark",
  qa: "drop",
  qaSignals: { params: ["qa=1"], cookies: ["staff"] },
  holdback: "send",
  requireConsent: true,
  alias: true,
  statsig: { identity: true, customIDs: { company: "7" }, custom: { plan: "pro" }, environment: "staging" },
  destinationOptions: { segment: { integrations: { All: false }, context: {} }, amplitude: { exposureEvent: "$exposure" } },
  forwardEvents: {
    to: "optimizelyWeb",
    track: true,
    namedPages: true,
    categorizedPages: false,
    revenue: "cents",
    onlyRevenueFor: ["Order Completed"],
  },
  debug: true,
};
const off: Options = { statsig: false, forwardEvents: null, destinationOptions: null, qaSignals: false };
// @ts-expect-error where to is not said
const nowhere: Options = { forwardEvents: { track: true } };
// @ts-expect-error revenue is in units or in cents
const euros: Options = { forwardEvents: { to: "optimizelyWeb", revenue: "euros" } };
// @ts-expect-error misspelled within a part
const identify: Options = { statsig: { identify: true } };
// @ts-expect-error misspelled
const misspelled: Options = { writekey: "abc" };
// @ts-expect-error no such destination
const segmnt: Options = { destinations: ["segmnt"] };
// @ts-expect-error holdback has no mark
const marked: Options = { holdback: "mark" };
// @ts-expect-error milliseconds are a number
const waiting: Options = { maxWaitMs: "5s" };
// @ts-expect-error an event's properties are flat
const deep: Options = { properties: { a: { b: 1 } } };

const layer: LayerDecision = {
  campaignId: "1",
  experimentId: 2n,
  variationId: null,
  isHoldback: false,
  campaign: { id: "1", name: null },
  extension: { eventName: "Seen" },
  state: {},
  decisionData: undefined,
  decidedAt: Date.now(),
};
// @ts-expect-error the variation is missing
const noVariation: LayerDecision = { campaignId: "1", experimentId: "2" };

const decision: DecisionInput = {
  experimentId: 16180339887,
  experimentName: "Hero",
  variationId: "2",
  variationName: "Large",
  campaignId: 7,
  campaignName: "Spring",
  isHoldback: false,
  userId: "u1",
  decidedAt: new Date(),
  source: "webyn",
  properties: { page: "home" },
};
const unassigned: DecisionInput = { experimentKey: "hero", variationId: null };
// @ts-expect-error no experiment
const nameless: DecisionInput = { variationId: "2" };
// @ts-expect-error no variation
const undecided: DecisionInput = { experimentId: "2" };
// @ts-expect-error an id is no object
const object: DecisionInput = { experimentId: {}, variationId: "2" };

export function use(bridge: DecisionBridge): unknown {
  bridge.init(all);
  bridge.init();
  bridge.trackLayerDecision(layer);
  bridge.trackDecision(decision);
  bridge.trackDecision(unassigned);
  const detach: () => void = bridge.attach("growthbook", {});
  detach();
  bridge.consent(false);
  bridge.flush();
  const stop = bridge.on("error", ({ message }) => message.length);
  bridge.on("delivered", ({ experimentId, verdict }) => [experimentId, verdict]);
  stop();
  // @ts-expect-error errors have a message only
  bridge.on("error", ({ verdict }) => verdict);
  // @ts-expect-error no such source
  bridge.attach("statsg");
  // @ts-expect-error it is ours to set
  bridge.version = "2";

  const told = bridge.diagnose();
  if (told.state === "running") read(told);
  // @ts-expect-error while it does not run, it has no destinations
  else return told.destinations;
  return told.version + told.errors.length;
}

function read(report: Report) {
  const [destination] = report.destinations ?? [];
  const [source] = report.sources;
  const [last] = report.decisions;
  const [error] = [...report.errors, ...report.warnings];
  return [
    report.options?.dedupe,
    destination?.name, destination?.state === "stub", destination?.waitedMs.toFixed(),
    source?.name, source?.found, source?.hooked,
    report.signals.preview, report.signals.qa,
    report.counts["not-an-exposure"] + report.counts.pending,
    last?.source, last?.experimentId, last?.verdict === "delivered", last?.reason, last?.steps[0]?.at, last?.steps[0]?.step,
    report.ids.anonymousId, report.ids.visitorId,
    error?.message, error?.at, error?.times,
  ];
}

// Both worlds behind one name.
if ("init" in decisionBridge) use(decisionBridge);
void [off, nowhere, euros, identify, misspelled, segmnt, marked, waiting, deep, noVariation, nameless, undecided, object];

// As the callback of a tool.
type OnAssignment = (assignment: { experimentId: string; variantId: string; variantName?: string }) => void;
type OnAssignmentByPosition = (experimentId: string, variantId: string, rest: { variantName: string }) => void;
declare const running: DecisionBridge;
export const handlers: [OnAssignment, OnAssignmentByPosition] = [running.trackDecision, running.trackDecision];
