// The types of `window.decisionBridge`. They hold as soon as this file is part of a TypeScript
// project, for instance by `import type {} from "./decision-bridge.js"`.

/** An id as experiment tools give it. All become strings; a number beyond 2^53 may have lost digits, which is reported. */
export type Id = string | number | bigint;

/** A value that may be added to an event. */
export type Scalar = string | number | boolean;

/** Experiment tools. */
export type SourceKind = "optimizelyWeb" | "optimizelyFeature" | "statsig" | "growthbook" | "openFeature" | "avsb";

/** Analytics tools. */
export type DestinationKind = "segment" | "amplitude" | "rudderstack" | "mixpanel" | "posthog" | "ga4" | "gtm";

/** How a decision ended, or that it has not ended yet. */
export type Verdict =
  | "delivered" | "duplicate" | "not-an-exposure" | "holdback" | "preview" | "qa" | "no-consent" | "invalid" | "expired"
  | "pending";

/**
 * What `init` takes. A faulty option is reported and falls back to its default; the rest works. `consentFrom`, `identify`,
 * `alias`, `statsig` and `forwardEvents` need `decision-bridge-extras.js` beside the script.
 */
export interface Options {
  /** Segment write key (letters, digits, `_`, `-`). With it, and without `window.analytics`, analytics.js is loaded. Default: none. */
  writeKey?: string;
  /** Where analytics.js is loaded from: an `https:` URL, or `http:` on a loopback host. Default: Segment's CDN. */
  cdnUrl?: string;
  /** Event name of exposures; the callback's `extension.eventName` wins for its decision. Default: per source. */
  eventName?: string;
  /** How property names are spelled. Default: per source. */
  propertyCase?: "camelCase" | "snake_case";
  /** Properties added to each exposure, 4096 characters in all, names included; the rest is left out. Default: none. */
  properties?: Record<string, Scalar>;
  /** Which experiment tools are looked for. Default: `"auto"`. */
  sources?: "auto" | SourceKind[];
  /** What a source wants to know. Default: none. */
  sourceOptions?: SourceOptions;
  /** Which analytics tools are told. Default: `"auto"`: all that are found, but `ga4` and `gtm`, which have to be named. */
  destinations?: "auto" | DestinationKind[];
  /** Settings of single analytics tools. Default: none. */
  destinationOptions?: {
    /** Given to Segment with each exposure. */
    segment?: { integrations?: Record<string, unknown>; context?: Record<string, unknown> };
    /** The event name of exposures in Amplitude. */
    amplitude?: { exposureEvent?: string };
  } | null | false;
  /** Also record the assignments as the trait `experiments: {<experiment>: <variation>}` of Segment's user. Default: `false`. */
  identify?: boolean;
  /** How often a missing destination is looked for, in ms, 10 to 60000. Default: 250. */
  pollIntervalMs?: number;
  /** How long a missing destination is looked for on this page, in ms, 0 to 600000. Default: 5000. */
  maxWaitMs?: number;
  /** How long an undelivered decision may wait, across pages of the session, in ms; 0: this page only. Default: 1800000. */
  carryOverMs?: number;
  /** Within what the same decision is a duplicate. Default: `"session"`. */
  dedupe?: "page" | "tab" | "session" | "visitor" | "none";
  /** After how long without a page or decision a session ends, in ms, at least 1000. Default: 1800000. */
  sessionTimeoutMs?: number;
  /** Decisions made in a tool's preview mode. Default: `"drop"`. */
  preview?: "drop" | "mark" | "send";
  /** Forced or QA decisions; `"mark"` adds `isQa: true`. Default: `"mark"`. */
  qa?: "drop" | "mark" | "send";
  /** The site's own QA query parameters and cookies, each `name` or `name=value`. Default: none. */
  qaSignals?: { params?: string[]; cookies?: string[] } | null | false;
  /** `"auto"` drops A/B holdback, and sends personalization holdback with `isHoldback: true`. Default: `"auto"`. */
  holdback?: "auto" | "send" | "drop";
  /** Hold everything, and store nothing, until `consent(true)`. Default: `false`. */
  requireConsent?: boolean;
  /** Ask these consent tools instead of being told by `consent()`; all of a list have to agree. Holds everything until then. Default: none. */
  consentFrom?: ConsentTool | ConsentTool[] | null | false;
  /** What the visitor has to agree to, as the tool calls it. Default: the tool's own name for analytics. */
  consentCategory?: string;
  /** What a tool means that says nothing within `maxWaitMs`. Default: `"hold"`. */
  consentDefault?: "hold" | "grant" | "refuse";
  /** Call `analytics.alias` exactly once when an anonymous visitor becomes known. Default: `false`. */
  alias?: boolean;
  /** Ids of Segment and Statsig, exchanged. Default: off. */
  statsig?: StatsigOptions | null | false;
  /** The way back: analytics events told to the experiment tool. Default: off. */
  forwardEvents?: ForwardOptions | null | false;
  /** Log each step of each decision on the console. Default: `false`. */
  debug?: boolean;
}

/** What sources want to know. */
export interface SourceOptions {
  /** Whether gates are exposures, too. Default: `false`. */
  statsig?: { gates?: boolean };
  /** Which evaluations are experiments: these flags alone, these reasons alone. */
  openFeature?: { flags?: string[]; reasons?: string[] };
  /** The name of its event in the `dataLayer`. Default: `avsb_experiment`. */
  avsb?: { dataLayerEvent?: string };
}

/** What Statsig and Segment tell each other. */
export interface StatsigOptions {
  /** Bring Segment's anonymousId to the Statsig user, as custom id `segmentAnonymousId`. */
  identity?: boolean;
  /** Added to outgoing Segment events as `statsigCustomIDs`. */
  customIDs?: Record<string, string | number>;
  /** Added to outgoing Segment events as `statsigCustom`. */
  custom?: Record<string, Scalar>;
  /** Added to outgoing Segment events as `statsigEnvironment: {tier}`. */
  environment?: string;
}

/** A consent tool that can be asked. `"segment"` is Segment's consent wrapper, `"gpc"` and `"dnt"` are signals of the browser. */
export type ConsentTool = "googleConsentMode" | "oneTrust" | "cookiebot" | "tcf" | "segment" | "gpc" | "dnt";

/** Which analytics events the experiment tool is told. Our own exposures are never told. */
export interface ForwardOptions {
  to: "optimizelyWeb";
  /** `track` calls, as custom events. Default: `true`. */
  track?: boolean;
  /** `page` calls with a name, as `Viewed <category> <name> Page`. Default: `true`. */
  namedPages?: boolean;
  /** `page` calls with a category, as `Viewed <category> Page`. Default: `true`. */
  categorizedPages?: boolean;
  /** Whether revenue is passed as it is, or from the currency's unit to cents. Default: `"as-is"`. */
  revenue?: "as-is" | "cents";
  /** The only events whose revenue is passed. Default: all. */
  onlyRevenueFor?: string[];
}

/** What Optimizely Web's `track_layer_decision` has in scope. */
export interface LayerDecision {
  campaignId: Id;
  /** `null`: the visitor is in no experiment; not an exposure. */
  experimentId: Id | null;
  /** `null`: the visitor got no variation; not an exposure. */
  variationId: Id | null;
  isHoldback?: boolean;
  campaign?: object | null;
  /** The integration's form; its `eventName` wins over the option. */
  extension?: object | null;
  state?: object | null;
  decisionData?: object | null;
  /** When it was decided, in ms since the epoch. Default: when it was pushed. */
  decidedAt?: number;
}

/** A decision of any other tool. It needs an id or key of the experiment and of the variation. */
export type DecisionInput = DecisionDetails &
  ({ experimentId: Id } | { experimentKey: Id }) &
  ({ variationId: Id | null } | { variationKey: Id | null } | { variantId: Id | null } | { variantKey: Id | null });

/** What `trackDecision` knows of a decision. */
export interface DecisionDetails {
  experimentId?: Id;
  experimentKey?: Id;
  experimentName?: string;
  /** `null`: the visitor got no variation; not an exposure. */
  variationId?: Id | null;
  /** `null`: the visitor got no variation; not an exposure. */
  variationKey?: Id | null;
  variationName?: string;
  /** The same as `variationId`, `variationKey` and `variationName`. */
  variantId?: Id | null;
  variantKey?: Id | null;
  variantName?: string;
  campaignId?: Id;
  campaignName?: string;
  isHoldback?: boolean;
  /** Whom the tool decided about; part of what makes a duplicate. */
  userId?: Id;
  /** When it was decided: ms since the epoch, a Date or ISO 8601. Default: when it was pushed. */
  decidedAt?: number | string | Date;
  /** The same as `decidedAt`. */
  assignedAt?: number | string | Date;
  /** The tool's name, for the report. */
  source?: string;
  /** Properties added to this exposure, 4096 characters in all, names included. */
  properties?: Record<string, Scalar>;
}

/** A decision as handlers and the report see it. What is not known is left out. */
export interface DecisionSeen {
  source: string;
  campaignId?: string;
  campaignName?: string;
  experimentId?: string;
  experimentKey?: string;
  experimentName?: string;
  variationId?: string;
  variationKey?: string;
  variationName?: string;
  /** The key of the feature flag the experiment runs on. */
  flagKey?: string;
  isHoldback: boolean;
  userId?: string;
  /** When it was decided, in ms since the epoch. */
  decidedAt: number;
  verdict: Verdict;
  /** Why it ended so. */
  reason?: string;
}

/** What `on` can listen to, and what its handler gets. */
export interface Events {
  /** A decision came in; its verdict is still pending. */
  decision: DecisionSeen;
  /** It was delivered to every destination. */
  delivered: DecisionSeen;
  /** It ended otherwise; `verdict` and `reason` tell how. */
  dropped: DecisionSeen;
  /** Somebody made a mistake; the text names the method, the field, what came and what was wanted. */
  error: { message: string };
}

/** A text of the report; the same again is counted. */
export interface Note {
  message: string;
  /** When it was first noted, in ms since the epoch. */
  at: number;
  times: number;
}

/** What `diagnose()` can tell even when the core does not run. */
export interface Told {
  version: string;
  /** How many decisions ended how. */
  counts: Record<Verdict, number>;
  /** The last 50 decisions, oldest first; `at` in ms since the epoch. */
  decisions: (DecisionSeen & { steps: { at: number; step: string }[] })[];
  /** What may cost data and is nobody's mistake in a call. */
  warnings: Note[];
  /** Mistakes in calls and options, and what a destination threw. */
  errors: Note[];
}

/** What `diagnose()` tells at least while the core does not run, or not any more. */
export interface ShortReport extends Told {
  state: "starting" | `stopped: ${string}` | `cannot run: ${string}`;
}

/** What `diagnose()` tells. Without secrets: the write key is shortened. */
export interface Report extends Told {
  state: "running" | "waiting for init" | "waiting for the page to be shown";
  /** The options in force, none before `init`; `destinations` is `"auto"` where that was asked for. */
  options: Record<string, unknown>;
  /** `waitedMs`: for how long we waited for it on this page, until it was ready. */
  destinations: { name: string; state: "missing" | "stub" | "ready" | "failed"; waitedMs: number }[];
  /** `found`: where the tool's client is; `hooked`: what was hooked into. */
  sources: { name: string; found: string; hooked: string }[];
  /** The signals seen, `null` when there is none. */
  signals: { preview: string | null; qa: string | null };
  /** The ids of both sides, to compare identities. */
  ids: { anonymousId: string | null; visitorId: string | null };
}

/** The methods. None ever throws: a mistake is a `console.error`, an `"error"` event and an entry in `diagnose().errors`. */
export interface Methods {
  /** Starts; a second call warns and changes nothing. */
  init(options?: Options): void;
  /** Takes what Optimizely Web's callback has. */
  trackLayerDecision(decision: LayerDecision): void;
  /** Takes a decision of any other tool; also as that tool's own callback, with an object or by position. */
  trackDecision(...decision: [DecisionInput] | [experimentId: Id, variationId: Id | null, rest?: DecisionDetails]): void;
  /** Hooks an SDK's client, or the one found at its global; returns what detaches it. */
  attach(kind: SourceKind, client?: unknown): () => void;
  /** With `requireConsent`: `true` releases what is held, `false` forgets it and stops. */
  consent(granted: boolean): void;
  /** Tries to deliver what is pending now. */
  flush(): void;
  /** The report. */
  diagnose(): Report | ShortReport;
  /** Calls the handler at each such event; returns what unsubscribes it. */
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void;
}

/** A call as it is pushed: `["init", {…}]`. */
export type Call =
  | { [Name in Exclude<keyof Methods, "on">]: [Name, ...Parameters<Methods[Name]>] }[Exclude<keyof Methods, "on">]
  | { [Name in keyof Events]: OnCall<Name> }[keyof Events];

/** `on`, as it is pushed. */
export type OnCall<Name extends keyof Events> = ["on", Name, (event: Events[Name]) => void];

/** `window.decisionBridge` before the script arrives: an array of calls. */
export interface Queue extends Array<Call> {
  push<Name extends keyof Events>(call: OnCall<Name>): number;
  push(...calls: Call[]): number;
}

/** `window.decisionBridge` once the script runs: the same array, with methods; what is pushed runs at once. */
export interface DecisionBridge extends Queue, Methods {
  readonly version: string;
}

declare global {
  /** `push` works before and after the script arrives; `"init" in decisionBridge` tells whether it has. */
  var decisionBridge: Queue | DecisionBridge;
}
