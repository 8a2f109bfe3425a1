// How each destination is found on the page: missing, a stub, ready, or failed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, page } from './page.mjs'

const { AUTO, DESTINATIONS, whose } = await load('destinations.js')
const { loadSegment } = await load('destinations/segment.js')
const { CONFIRMS, FAILED, MISSING, READY, STUB } = await load('destinations/state.js')

const of = Object.fromEntries(DESTINATIONS.map((destination) => [destination.kind, destination]))
const f = () => {}
const array = (methods) => Object.assign([], methods)

function isFound(kind, globals, state, blocked = false) {
  page(globals)
  assert.equal(of[kind].state(blocked), state, kind)
}

test('the order is the order of the core, and five are found by themselves', () => {
  assert.deepEqual(DESTINATIONS.map(({ kind }) => kind), ['segment', 'amplitude', 'rudderstack', 'mixpanel', 'posthog', 'ga4', 'gtm'])
  assert.equal(AUTO, 5)
})

test('a script that could not be loaded is known by its address', () => {
  for (const [address, kind] of [
    ['https://cdn.segment.com/analytics.js/v1/k/analytics.min.js', 'segment'],
    ['https://cdn.amplitude.com/libs/analytics-browser-2.11.1-min.js.gz', 'amplitude'],
    ['https://cdn.rudderlabs.com/v3/modern/rsa.min.js', 'rudderstack'],
    ['https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js', 'mixpanel'],
    ['https://eu-assets.i.posthog.com/static/array.js', 'posthog'],
    ['https://www.googletagmanager.com/gtm.js?id=GTM-1', undefined],
    ['https://shop.test/main.js', undefined],
  ]) {
    assert.equal(DESTINATIONS[whose(address)]?.kind, kind, address)
  }
})

test('what only has the name of a tool is missing', () => {
  for (const { kind } of DESTINATIONS) {
    isFound(kind, {}, MISSING)
    for (const name of ['analytics', 'amplitude', 'rudderanalytics', 'mixpanel', 'posthog', 'dataLayer', 'gtag']) {
      for (const thing of [null, 'text', {}, { track: 'f', capture: {}, push: 1, Identify: true }, { __loaded: true }]) {
        isFound(kind, { [name]: thing }, MISSING)
      }
      if (name !== 'dataLayer') isFound(kind, { [name]: [] }, MISSING)
    }
  }
})

test('Segment is missing where there is nothing to call', () => {
  for (const nothing of [null, 0, 'analytics', [], {}, f, true, { track: null }, { track: 'f' }, { track: {} }, { initialized: true }]) {
    isFound('segment', { analytics: nothing }, MISSING)
  }
})

test("the snippet's stub is a stub until its script is known to be blocked", () => {
  isFound('segment', { analytics: array({ track: f, load: f }) }, STUB)
  isFound('segment', { analytics: array({ track: f, load: f }) }, FAILED, true)
})

test('analytics.js is ready once it is initialized', () => {
  const loaded = (initialized, VERSION) => ({ analytics: { track: f, initialized, VERSION, settings: { writeKey: 'k' } } })
  isFound('segment', loaded(true, '1.81.0'), CONFIRMS)
  isFound('segment', loaded(true, ''), READY)
  isFound('segment', loaded(false, '1.81.0'), STUB)
  isFound('segment', loaded(false, '1.81.0'), FAILED, true)
  // It is there all the same.
  isFound('segment', loaded(true, '1.81.0'), CONFIRMS, true)
})

test('analytics.js that is disabled drops what it is told', () => {
  const disabled = (plugins) => ({ analytics: { track: f, initialized: true, VERSION: '1.81.0', settings: { writeKey: '' }, queue: { plugins } } })
  isFound('segment', disabled([]), FAILED)
  isFound('segment', disabled([{}]), CONFIRMS)
})

test('the npm package buffers until it has its instance', () => {
  const buffered = { track: f, then: f, load: f }
  isFound('segment', { analytics: buffered }, STUB)
  isFound('segment', { analytics: buffered }, FAILED, true)
  const ready = (writeKey, plugins) => ({ analytics: { ...buffered, instance: { settings: { writeKey }, queue: { plugins } } } })
  isFound('segment', ready('k', [{}]), CONFIRMS)
  isFound('segment', ready('', []), FAILED)
  isFound('segment', ready('', [{}]), CONFIRMS)
})

test('another library is ready and tells nothing', () => {
  isFound('segment', { analytics: { track: f, page: f } }, READY)
})

test('analytics.js is loaded from where the page says, once', () => {
  const loaded = []
  const load = (cdnUrl, analytics) => {
    page({ analytics })
    Object.assign(document, { createElement: () => ({}), querySelector: () => null, head: { appendChild: ({ src }) => loaded.push(src) } })
    loadSegment('k', cdnUrl)
    return window.analytics
  }
  for (const [given, cdn] of [[null, 'https://cdn.segment.com'], ['https://cdn.test', 'https://cdn.test'], ['https://cdn.test/a//', 'https://cdn.test/a']]) {
    assert.equal(load(given)._cdn, cdn)
    assert.equal(loaded.pop(), `${cdn}/analytics.js/v1/k/analytics.min.js`)
  }
  const stub = load(null)
  assert.ok(stub.invoked && stub.track === load(null, stub).track)
  assert.equal(stub.page('Home'), stub)
  assert.deepEqual(stub[0].slice(0, 2), ['page', 'Home'])
  assert.equal(loaded.length, 1, 'not where somebody else did')
})

test("Amplitude is a stub until its SDK has taken the snippet's object over", () => {
  const amplitude = (invoked, runQueuedFunctions) => ({ amplitude: { track: f, Identify: f, invoked, runQueuedFunctions } })
  isFound('amplitude', amplitude(true, null), STUB)
  isFound('amplitude', amplitude(true, null), FAILED, true)
  isFound('amplitude', amplitude(true, f), CONFIRMS)
  isFound('amplitude', amplitude(null, null), CONFIRMS)
  // Amplitude's old SDK, and players of that name.
  isFound('amplitude', { amplitude: { track: f } }, MISSING)
})

test('tools that are an array of calls are stubs until they have loaded', () => {
  for (const [kind, call] of [['mixpanel', 'track'], ['posthog', 'capture']]) {
    isFound(kind, { [kind]: array({ [call]: f }) }, STUB)
    isFound(kind, { [kind]: array({ [call]: f }) }, FAILED, true)
    isFound(kind, { [kind]: { [call]: f, __loaded: true } }, READY)
    isFound(kind, { [kind]: { [call]: f, __loaded: false } }, MISSING)
  }
})

test('RudderStack queues until it has its configuration and with that an id', () => {
  const loaded = (getAnonymousId) => ({ rudderanalytics: { track: f, getAnonymousId } })
  isFound('rudderstack', { rudderanalytics: array({ track: f }) }, STUB)
  isFound('rudderstack', { rudderanalytics: array({ track: f }) }, FAILED, true)
  isFound('rudderstack', loaded(() => ''), STUB)
  isFound('rudderstack', loaded(() => 'id'), READY)
  isFound('rudderstack', loaded(() => 'id'), READY, true)
  isFound('rudderstack', loaded(undefined), MISSING)
  isFound('rudderstack', loaded(() => { throw new Error('not yet') }), MISSING)
})

test('a dataLayer keeps everything and is ready', () => {
  isFound('ga4', { dataLayer: [] }, READY)
  isFound('gtm', { dataLayer: [] }, READY)
  isFound('ga4', { gtag: f }, READY)
  isFound('gtm', { gtag: f }, MISSING)
})
