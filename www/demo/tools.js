// The tools that can be switched on, and how what arrives at each destination is read.

/**
 * The sources, by their kinds. `standIn`: hosted only, and not ours to copy. `paste`: what a page does
 * beyond our tag; the others are found.
 */
export const SOURCES = [
  { kind: 'optimizelyWeb', label: 'Optimizely Web', standIn: true },
  { kind: 'optimizelyFeature', label: 'Optimizely Feature', paste: 'decisionBridge.push(["attach","optimizelyFeature",client])' },
  { kind: 'statsig', label: 'Statsig' },
  { kind: 'growthbook', label: 'GrowthBook', paste: 'decisionBridge.push(["attach","growthbook",gb])' },
  { kind: 'openFeature', label: 'OpenFeature', paste: 'decisionBridge.push(["attach","openFeature"])' },
  { kind: 'avsb', label: 'A vs B', standIn: true, paste: 'decisionBridge.push(["attach","avsb"])' },
  { kind: 'webyn', label: 'Webyn, any callback', paste: 'onAssignment: (it) => decisionBridge.push(["trackDecision",it])' },
]

/**
 * The destinations. `read` makes one shape of their bodies; nothing of what is no event. `own` are the
 * properties that a tool adds itself; a `timestamp` is missing where the tool is told none.
 */
export const DESTINATIONS = [
  {
    kind: 'segment',
    label: 'Segment',
    read: (body) => body.type === 'track' && { ...body, visitor: body.anonymousId, id: body.messageId },
  },
  {
    kind: 'amplitude',
    label: 'Amplitude',
    read: (body) => !body.event_type?.startsWith('$') && {
      event: body.event_type, properties: body.event_properties, timestamp: body.time, visitor: body.device_id, id: body.insert_id,
    },
  },
  {
    kind: 'rudderstack',
    label: 'RudderStack',
    read: ({ type, event, properties, originalTimestamp, anonymousId }) => type === 'track' && {
      event, properties, timestamp: originalTimestamp, visitor: anonymousId, id: properties?.idempotencyKey,
    },
  },
  {
    kind: 'mixpanel',
    label: 'Mixpanel',
    own: /^(?:\$|mp_|token$|distinct_id$|time$)/,
    read: ({ event, properties }) => properties?.time && {
      event, properties, timestamp: Math.round(properties.time * 1000), visitor: properties.distinct_id, id: properties.$insert_id,
    },
  },
  {
    kind: 'posthog',
    label: 'PostHog',
    own: /^(?:\$(?!feature_flag)|token$|distinct_id$)/,
    read: ({ event, properties, timestamp, uuid }) => event?.startsWith('$feature_flag') && {
      event, properties, timestamp, visitor: properties.distinct_id, id: uuid,
    },
  },
  {
    kind: 'ga4',
    label: 'GA4',
    standIn: true,
    read: (body) => ({ event: body.name, properties: body.params, visitor: body.client_id }),
  },
  {
    kind: 'gtm',
    label: 'Google Tag Manager',
    standIn: true,
    read: ({ event, client_id, ...properties }) => ({ event, properties, visitor: client_id }),
  },
]

/** What is on when nobody chose. */
export const DEFAULTS = { sources: ['optimizelyWeb'], destinations: ['segment'] }

export const EVERYTHING = {
  sources: SOURCES.map(({ kind }) => kind),
  destinations: DESTINATIONS.map(({ kind }) => kind),
}

const labels = new Map([...SOURCES, ...DESTINATIONS].map(({ kind, label }) => [kind, label]))
export const labelOf = (kind) => labels.get(kind) ?? kind

/** The part of an address that switches them on; empty for the defaults, which need none. */
export function asQuery(tools) {
  if (JSON.stringify(tools) === JSON.stringify(DEFAULTS)) return ''
  return `&sources=${tools.sources.join(',')}&destinations=${tools.destinations.join(',')}`
}

/** A time in one spelling; nothing where there is none. */
function time(at) {
  const date = new Date(at ?? NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** What a page with these tools has to paste. Google's look like any dataLayer: they have to be named. */
export function snippet({ sources, destinations }) {
  const google = destinations.includes('ga4') || destinations.includes('gtm')
  const options = google ? `{destinations:${JSON.stringify(destinations)}}` : '{}'
  return [
    `<script>window.decisionBridge=window.decisionBridge||[];decisionBridge.push(["init",${options}])</script>`,
    '<script async src="/decision-bridge.js"></script>',
    ...SOURCES.filter(({ kind, paste }) => paste && sources.includes(kind)).map(({ label, paste }) => `\n// ${label}\n${paste}`),
  ].join('\n')
}

/** An arrival as the collector tells it, as an event; nothing when it is none, or of a tool we do not know. */
export function eventOf({ tool, body, receivedAt }) {
  const destination = DESTINATIONS.find(({ kind }) => kind === tool)
  const event = destination?.read(body ?? {})
  if (!event) return undefined
  const { own } = destination
  const properties = Object.entries(event.properties ?? {})
  const theirs = properties.filter(([name]) => own?.test(name))
  return {
    ...event,
    destination: tool,
    receivedAt,
    timestamp: time(event.timestamp),
    properties: Object.fromEntries(properties.filter(([name]) => !own?.test(name))),
    added: Object.fromEntries(theirs),
  }
}
