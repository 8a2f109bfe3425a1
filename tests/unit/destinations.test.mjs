// The destinations: decision in, event out, to the letter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AT, TIME, load, page } from './page.mjs'

const { make, shown } = await load('decision.js')
const { DESTINATIONS } = await load('destinations.js')
const { parse } = await load('options.js')
const { spell } = await load('spelling.js')

const ID = 'db-0123456789abcdef0123456789abcdef'
const of = Object.fromEntries(DESTINATIONS.map((destination) => [destination.kind, destination]))

function decided(source, fields, more = {}) {
  return Object.assign(make(source, AT, fields, Object.keys(fields).join(' ')), more)
}
const optimizely = (fields, more) => decided('optimizelyWeb', { campaignId: 'c1', experimentId: 'e1', variationId: 'v1', ...fields }, more)
const direct = (experimentKey, variationKey, fields, more) => decided('direct', { experimentKey, variationKey, ...fields }, more)

/** Everything Optimizely Web can tell. */
const FULL = {
  campaignName: 'Campaign', experimentName: 'Experiment', variationName: 'Variation', audienceId: '50,51',
  audienceName: 'Returning, Mobile', referrer: 'https://before.test/', userId: 'oeu1', project: 'p1', pageUrl: 'https://shop.test/a',
}
const FULL_TOLD = {
  experimentId: 'e1', experimentName: 'Experiment', variationId: 'v1', variationName: 'Variation', campaignId: 'c1',
  campaignName: 'Campaign', audienceId: '50,51', audienceName: 'Returning, Mobile', referrer: 'https://before.test/', isHoldback: false,
}

function options(given) {
  const mistakes = []
  const options = parse(given, mistakes)
  assert.deepEqual(mistakes, [], 'these options were meant to be good')
  return options
}

const event = (decision, given = {}, marks = {}, destination = 'segment') => spell({ decision, ...marks }, options(given), destination)

function isTold(decision, given, marks, name, properties) {
  assert.deepEqual(event(decision, given, marks), { name, properties })
}

test('a decision of Optimizely Web is told in camelCase with all that is known', () => {
  isTold(optimizely(FULL), {}, {}, 'Experiment Viewed', FULL_TOLD)
})

test('ids stand in for names and what is not known is left out', () => {
  isTold(optimizely(), {}, {}, 'Experiment Viewed', {
    experimentId: 'e1', experimentName: 'e1', variationId: 'v1', variationName: 'v1', campaignId: 'c1', campaignName: 'c1', isHoldback: false,
  })
})

test('snake_case goes for every name that is ours', () => {
  const given = { propertyCase: 'snake_case', properties: { myOwn: 1 } }
  isTold(optimizely(FULL, { isHoldback: true }), given, { isQa: true, isPreview: true }, 'Experiment Viewed', {
    myOwn: 1, experiment_id: 'e1', experiment_name: 'Experiment', variation_id: 'v1', variation_name: 'Variation', campaign_id: 'c1',
    campaign_name: 'Campaign', audience_id: '50,51', audience_name: 'Returning, Mobile', referrer: 'https://before.test/',
    is_holdback: true, is_qa: true, is_preview: true,
  })
})

test("decisions of flags are told as Segment's specification of A/B tests has it", () => {
  for (const source of ['growthbook', 'openFeature']) {
    const fields = { experimentKey: 'e1', experimentName: 'Experiment', variationKey: 'v1', variationName: 'Two', flagKey: 'f1' }
    isTold(decided(source, fields), {}, {}, 'Experiment Viewed', {
      experiment_id: 'e1', experiment_name: 'Experiment', variation_id: 'v1', variation_name: 'Two', flag_key: 'f1',
    })
  }
})

test('a decision of A vs B is told as its own guide has it', () => {
  const decision = decided('avsb', { experimentKey: 'e1', variationKey: 'v1' })
  isTold(decision, {}, {}, 'avsb_experiment', {
    experiment_id: 'e1', experiment_name: 'e1', variation_id: 'v1', variation_name: 'v1', event_name: 'experiment_viewed',
  })
  isTold(decision, { propertyCase: 'camelCase' }, {}, 'avsb_experiment', {
    experimentId: 'e1', experimentName: 'e1', variationId: 'v1', variationName: 'v1', eventName: 'experiment_viewed',
  })
})

test("a decision of the page's own is told with the time it was made", () => {
  isTold(direct('checkout', 'blue', { experimentName: 'Checkout', experimentId: '7' }), {}, {}, 'Experiment Viewed', {
    experimentId: '7', variationId: 'blue', experimentName: 'Checkout', variationName: 'blue', assignedAt: TIME,
  })
  isTold(direct('checkout', 'blue', {}, { isHoldback: true }), { propertyCase: 'snake_case' }, {}, 'Experiment Viewed', {
    experiment_id: 'checkout', variation_id: 'blue', experiment_name: 'checkout', variation_name: 'blue', assigned_at: TIME, is_holdback: true,
  })
})

test('a decision about a flag is told by its keys', () => {
  const fields = { flagKey: 'checkout', experimentKey: 'checkout_exp', variationKey: 'control', userId: 'u1' }
  isTold(decided('optimizelyFeature', fields, { properties: { enabled: false } }), {}, {}, 'Experiment Viewed', {
    enabled: false, flag_key: 'checkout', variation_key: 'control', rule_key: 'checkout_exp', user_id: 'u1',
  })
})

test("a decision of Statsig is told as Segment's specification has it", () => {
  const decision = decided('statsig', { experimentKey: 'checkout_exp', variationId: '4xTest', variationName: 'Test' })
  isTold(decision, {}, { isQa: true }, 'Experiment Viewed', {
    experiment_id: 'checkout_exp', experiment_name: 'checkout_exp', variation_id: '4xTest', variation_name: 'Test', is_qa: true,
  })
})

test("static properties give way to the decision's own and both to the contract", () => {
  const decision = direct('e1', 'v1', {}, { properties: { site: 'b', experimentId: 'forged', plan: 1.5 } })
  isTold(decision, { properties: { site: 'a', variationName: 'forged', team: true } }, {}, 'Experiment Viewed', {
    site: 'b', team: true, plan: 1.5, experimentId: 'e1', experimentName: 'e1', variationId: 'v1', variationName: 'v1', assignedAt: TIME,
  })
})

test('properties may be called as objects have it anyway', () => {
  const properties = JSON.parse('{"__proto__":"a","constructor":"b"}')
  const told = event(direct('e1', 'v1', {}, { properties }), { properties }).properties
  assert.deepEqual([Object.hasOwn(told, '__proto__'), told.constructor], [true, 'b'])
})

test('what only a polluted prototype lends is not told', () => {
  Object.prototype.audienceName = 'polluted'
  try {
    assert.ok(!Object.hasOwn(event(optimizely()).properties, 'audienceName'))
  } finally {
    delete Object.prototype.audienceName
  }
})

test('marks are told only when they are there', () => {
  for (const [isQa, isPreview] of [[false, false], [true, false], [false, true]]) {
    const { properties } = event(optimizely(), {}, { isQa, isPreview })
    assert.deepEqual([properties.isQa, properties.isPreview], [isQa || undefined, isPreview || undefined])
  }
})

test("the event name of the decision comes before the option and that before the source's", () => {
  assert.equal(event(optimizely({ eventName: 'From the form' }), { eventName: 'Seen' }).name, 'From the form')
  assert.equal(event(optimizely(), { eventName: 'Seen' }).name, 'Seen')
  assert.equal(event(optimizely()).name, 'Experiment Viewed')
})

test('names go out as they came in', () => {
  const nasty = '"quote" \\ \0\n\t\x7f\u2028 </script><img onerror=x> é 😀 \u202e'
  assert.equal(event(optimizely({ experimentName: nasty })).properties.experimentName, nasty)
})

test('a decision is shown to the page with what is known', () => {
  assert.deepEqual(shown(optimizely(FULL)), {
    source: 'optimizelyWeb', campaignId: 'c1', campaignName: 'Campaign', experimentId: 'e1', experimentName: 'Experiment',
    variationId: 'v1', variationName: 'Variation', userId: 'oeu1', isHoldback: false, decidedAt: AT,
  })
  assert.deepEqual(shown(direct('k', 'v', { label: 'webyn' })), {
    source: 'webyn', experimentKey: 'k', variationKey: 'v', isHoldback: false, decidedAt: AT,
  })
})

// How each destination is told

/** What a destination hands to its tool: the calls it makes, and what it answers. */
function calls(kind, decision, given = {}, more = {}) {
  const made = []
  const record = (method, answer) => (...args) => {
    made.push([method, ...args.filter((arg) => typeof arg !== 'function')])
    return answer
  }
  class Identify {
    set = (name, value) => made.push(['set', name, value])
  }
  page({
    analytics: { track: record('track'), initialized: true, VERSION: '1.81.0' },
    amplitude: { track: record('track'), identify: (_, options) => made.push(['identify', options]), Identify },
    rudderanalytics: { track: record('track') },
    mixpanel: { track: record('track') },
    posthog: { capture: record('capture') },
    gtag: record('gtag'),
    dataLayer: { push: record('push') },
    ...more.tools,
  })
  const all = options(given)
  const exposure = { ...spell({ decision, ...more.marks }, all, kind), decision, options: all, messageId: ID, time: TIME, ...more.exposure }
  const answer = of[kind].send(exposure, false, () => {})
  assert.ok(!answer, 'it tells nothing when it took charge')
  return made
}

const viewed = (properties) => ['Experiment Viewed', properties]

/** What each destination is told of a decision whose source spells it as `own`. */
function isToldEverywhere(decision, own, names, keys, whole) {
  for (const [kind, ...call] of [
    ['segment', 'track', ...viewed(own), { timestamp: TIME, messageId: ID }],
    ['amplitude', 'track', ...viewed(own), { insert_id: ID, time: AT }],
    ['rudderstack', 'track', ...viewed({ ...own, idempotencyKey: ID }), { messageId: ID, originalTimestamp: TIME }],
    ['mixpanel', 'track', '$experiment_started', { 'Experiment name': names[0], 'Variant name': names[1], $insert_id: ID, time: AT / 1000 }],
    ['posthog', 'capture', '$feature_flag_called', { $feature_flag: keys[0], $feature_flag_response: keys[1] }, { uuid: '01234567-89ab-8def-a123-456789abcdef', timestamp: new Date(AT) }],
    ['ga4', 'gtag', 'event', 'experience_impression', { exp_variant_string: whole }],
    ['gtm', 'push', { event: 'Experiment Viewed', ...own }],
  ]) {
    assert.deepEqual(calls(kind, decision), [call], kind)
  }
}

test('a decision of Optimizely Web is told to each destination in its own words', () => {
  isToldEverywhere(optimizely(FULL), FULL_TOLD, ['Experiment', 'Variation'], ['e1', 'v1'], 'optimizelyWeb-e1-v1')
})

test("a decision of the page's own is told to each destination in its own words", () => {
  isToldEverywhere(
    direct('checkout', 'blue', { experimentName: 'Checkout', experimentId: '7', label: 'webyn' }),
    { experimentId: '7', variationId: 'blue', experimentName: 'Checkout', variationName: 'blue', assignedAt: TIME },
    ['Checkout', 'blue'], ['checkout', 'blue'], 'webyn-7-blue'
  )
})

/** A decision of a tool that knows a flag, an experiment and a variation by their keys. */
const keyed = (source, more) => decided(source, { experimentKey: 'rule', variationKey: 'blue', flagKey: 'flag', userId: 'u1' }, more)

test('a decision of each other tool is told to each destination in its own words', () => {
  const plain = { experiment_id: 'rule', experiment_name: 'rule', variation_id: 'blue', variation_name: 'blue' }
  const flagged = { ...plain, flag_key: 'flag' }
  for (const [source, own] of [['statsig', plain], ['growthbook', flagged], ['openFeature', flagged]]) {
    isToldEverywhere(keyed(source), own, ['rule', 'blue'], ['flag', 'blue'], `${source}-rule-blue`)
  }
})

test("a flag of Optimizely is a user property of Amplitude's", () => {
  for (const [enabled, told] of [[true, 'blue'], [false, 'off']]) {
    const decision = keyed('optimizelyFeature', { properties: { enabled } })
    const properties = { enabled, flag_key: 'flag', variation_key: 'blue', rule_key: 'rule', user_id: 'u1' }
    assert.deepEqual(calls('amplitude', decision), [
      ['set', '[Optimizely] flag', told],
      ['identify', { insert_id: `${ID}-user`, time: AT }],
      ['track', 'Experiment Viewed', properties, { insert_id: ID, time: AT }],
    ])
    assert.deepEqual(calls('segment', decision), [['track', 'Experiment Viewed', properties, { timestamp: TIME, messageId: ID }]])
  }
})

test('a decision of A vs B keeps its event where the destination has none of its own', () => {
  assert.equal(event(keyed('avsb'), {}, {}, 'amplitude').name, 'avsb_experiment')
  assert.equal(event(keyed('avsb'), {}, {}, 'mixpanel').name, '$experiment_started')
})

test("words of a destination's own stay and the rest follows the options", () => {
  const given = { propertyCase: 'snake_case', properties: { mySite: 'a' }, eventName: 'Seen' }
  for (const [kind, own] of [
    ['mixpanel', { 'Experiment name': 'e1', 'Variant name': 'v1' }],
    ['posthog', { $feature_flag: 'e1', $feature_flag_response: 'v1' }],
    ['ga4', { exp_variant_string: 'optimizelyWeb-e1-v1' }],
  ]) {
    const told = event(optimizely({}, { isHoldback: true }), given, { isQa: true }, kind)
    assert.deepEqual(told, { name: 'Seen', properties: { mySite: 'a', ...own, is_holdback: true, is_qa: true } })
    // Only Optimizely Web's own table always says whether it is a holdback.
    assert.equal('isHoldback' in event(optimizely(), {}, {}, kind).properties, false)
  }
})

test('Amplitude is told under the event the site chose', () => {
  const told = (fields, exposureEvent, destination = 'amplitude') => {
    const given = { eventName: 'Seen', destinationOptions: { amplitude: { exposureEvent } } }
    return event(direct('checkout', 'blue', { experimentId: '7', flagKey: 'flag', ...fields }), given, {}, destination)
  }
  assert.deepEqual(told({}, '$exposure'), { name: '$exposure', properties: { flag_key: 'flag', variant: 'blue', experiment_key: 'checkout' } })
  // These are names like any other.
  for (const name of ['Test Seen', 'mixpanel', 'ga4', 'toString', '__proto__']) {
    const { name: event, properties } = told({}, name)
    assert.deepEqual([event, properties.experimentId], [name, '7'])
  }
  assert.equal(told({ eventName: 'From the form' }, 'Test Seen').name, 'From the form')
  assert.equal(told({}, '$exposure', 'segment').name, 'Seen')
})

test('track is told the page only when it is another, and what the site adds', () => {
  const elsewhere = { url: 'https://shop.test/b', path: '/b', title: 'A "page"', search: '' }
  const last = (kind, given, exposure) => calls(kind, optimizely(), given, { exposure })[0].at(-1)
  assert.deepEqual(last('segment', {}, { page: elsewhere }), { timestamp: TIME, messageId: ID, context: { page: elsewhere } })
  assert.deepEqual(last('rudderstack', {}, { page: elsewhere }), { messageId: ID, originalTimestamp: TIME, context: { page: elsewhere } })
  const given = { destinationOptions: { segment: { context: { ip: '0.0.0.0' }, integrations: { All: false } } } }
  assert.deepEqual(last('segment', given), { timestamp: TIME, messageId: ID, context: { ip: '0.0.0.0' }, integrations: { All: false } })
  assert.deepEqual(last('segment', given, { page: elsewhere }).context, { ip: '0.0.0.0', page: elsewhere })
})

test('the assignment becomes a trait, by the names people know', () => {
  for (const [decision, experiments] of [
    [optimizely(), { e1: 'v1' }],
    [direct('checkout', 'blue', { experimentId: '7', variationId: '9' }), { checkout: 'blue' }],
    [direct('checkout', 'blue', {}, { isHoldback: true }), { checkout: 'holdback' }],
  ]) {
    const told = []
    const traits = (experiments) => {
      told.push(experiments)
      return () => told.push('identified')
    }
    calls('segment', decision, { identify: true }, { exposure: { traits } })
    assert.deepEqual(told, [experiments, 'identified'])
    calls('segment', decision, {}, { exposure: { traits } })
    assert.equal(told.length, 2, 'only where the page asks for it')
  }
})

test('Segment confirms by its promise, and a stub by the callback it keeps', async () => {
  for (const [stub, track] of [[false, () => Promise.resolve()], [false, () => Promise.reject(new Error('refused'))], [true, (...args) => args.at(-1)()]]) {
    page({ analytics: { track } })
    const decision = optimizely()
    let confirmed = 0
    const all = options({})
    const exposure = { ...spell({ decision }, all, 'segment'), decision, options: all, messageId: ID, time: TIME }
    assert.equal(of.segment.send(exposure, stub, () => confirmed++), true)
    await 0
    await 0
    assert.equal(confirmed, 1)
  }
})

test('Amplitude confirms by its promise unless it could not reach its server', async () => {
  for (const [promise, times] of [[Promise.resolve({ code: 200 }), 1], [Promise.resolve({ code: 400 }), 1], [Promise.resolve({ code: 500 }), 0], [Promise.reject(new Error('no')), 0]]) {
    page({ amplitude: { track: () => ({ promise }) } })
    let confirmed = 0
    assert.equal(of.amplitude.send({ name: 'n', properties: {}, decision: optimizely(), messageId: ID }, false, () => confirmed++), true)
    await 0
    await 0
    assert.equal(confirmed, times)
  }
})

test('GA4 is told as gtag would tell it, where only its queue is there', () => {
  const dataLayer = []
  page({ dataLayer })
  of.ga4.send({ name: 'n', properties: { a: 1 } })
  assert.equal(Object.prototype.toString.call(dataLayer[0]), '[object Arguments]')
  assert.deepEqual([...dataLayer[0]], ['event', 'n', { a: 1 }])
})
