// The parts that pages of the stories are made of.

import { readFileSync } from 'node:fs'
import segmentSnippet from '@segment/snippet'

export const WRITE_KEY = 'wk_story'
export const VISITOR = 'oeu1700000000000r0.25'

/** A value as JavaScript source; unlike JSON it keeps functions, BigInts, NaN and undefined. */
export function js(value) {
  if (typeof value === 'function') return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return `[${value.map(js).join(',')}]`
  if (value && typeof value === 'object') {
    return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}:${js(each)}`).join(',')}}`
  }
  return value === undefined ? 'undefined' : JSON.stringify(value).replaceAll('<', '\\u003c')
}

export const html = (...parts) => `<!doctype html><html><head><meta charset="utf-8"><title>A story</title></head><body>
<script>/* the first script: Segment's snippet inserts its own before it */</script>
${parts.join('\n')}
</body></html>`

export const script = (code) => `<script>${code}</script>`

/** Our tag, as the README tells to paste it. */
export const tag = (attributes = '') => `<script async src="/dist/decision-bridge.js" ${attributes}></script>`

/** The pushed call before it. */
export const push = (method, ...args) =>
  script(`window.decisionBridge=window.decisionBridge||[];decisionBridge.push(${js([method, ...args])})`)

export const init = (options = {}) => push('init', options)

/** Segment's official snippet as code, loading from our server; `cdn` chooses the faults. */
export function snippetCode(origin, { cdn = '/cdn', load = true, writeKey = WRITE_KEY } = {}) {
  return segmentSnippet
    .min({ apiKey: writeKey, page: false, load })
    .replace('https://cdn.segment.com', origin + cdn)
    .replace('analytics._writeKey=', `analytics._cdn=${JSON.stringify(origin + cdn)};analytics._writeKey=`)
}

export const snippet = (origin, options) => script(snippetCode(origin, options))

/** A decision for `trackDecision`. */
export const decision = (fields = {}) => ({ experimentId: '100', variationId: '200', ...fields })

/** What Optimizely's callback has, for `trackLayerDecision`. */
export const layerDecision = (fields = {}) => ({
  campaignId: '11', experimentId: '22', variationId: '33', isHoldback: false, ...fields,
})

export const integration = () =>
  readFileSync(new URL('../../dist/optimizely-integration.json', import.meta.url), 'utf8')

/** An A/B test of Optimizely's, with two variations. */
export const abTest = (fields = {}) => ({
  id: '9001', name: 'Checkout', policy: 'single_experiment', pageIds: ['1'],
  experiments: [{ id: '9101', name: 'Shorter form', variations: [
    { id: '9201', name: 'Original' }, { id: '9202', name: 'Three fields' },
  ] }],
  ...fields,
})

/** A personalization campaign with two experiences. */
export const personalization = (fields = {}) => ({
  id: '8001', name: 'Greeting', policy: 'random', pageIds: ['1'], audiences: [{ id: '71', name: 'Returning' }],
  experiments: [
    { id: '8101', name: 'For new ones', variations: [{ id: '8201', name: 'Welcome' }] },
    { id: '8102', name: 'For the known', variations: [{ id: '8202', name: 'Welcome back' }] },
  ],
  ...fields,
})

/** Optimizely's client on the page: configured, then loaded. */
export const optimizely = (config) => optimizelyConfig(config) + optimizelyScript

export const optimizelyConfig = (config) =>
  script(`window.optimizelyStandIn=${js({ visitorId: VISITOR, ...config })}`)

export const optimizelyScript = '<script src="/demo/optimizely-stand-in.js"></script>'
