// The sources: what a tool says, and the decision it comes to. The cases lie in tests/fixtures, the name
// of each is a sentence.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { fixtures } from '../../fuzz/fixtures.mjs'
import { AT, load, locked, page, real, revoked, told } from './page.mjs'

const { ENTRANCES } = await import('../../fuzz/foreign.mjs')
const { fill, keyFields, outcomeFields } = await load('decision.js')
const { isRedirecting, readCallback, readEvent, readState, redirectReferrer, visitor } = await load('sources/optimizely-web.js')
const { read: readAvsb } = await load('sources/avsb.js')
const { read: readDirect } = await load('sources/direct.js')
const { read: readGrowthBook } = await load('sources/growthbook.js')
const { read: readOpenFeature } = await load('sources/open-feature.js')
const { read: readOptimizelyFeature } = await load('sources/optimizely-feature.js')
const { read: readStatsig } = await load('sources/statsig.js')

// What tells no time was decided now.
Date.now = () => AT

/** What comes of one case: its decisions, and the mistakes that were reported. */
function outcome(given, made = real) {
  page({ cookie: given.cookies })
  const mistakes = []
  const [input, client, settings] = [given.input, given.client, given.settings].map(made)
  const decisions = ENTRANCES[given.entrance]({ input, client, settings, mistakes })
  const outcome = { decisions: decisions.filter(Boolean).map(told) }
  if (mistakes.length) outcome.mistakes = mistakes
  return outcome
}

const cases = fixtures()
for (const { name, folder, text } of cases) {
  test(`${folder}: ${name}`, () => {
    const given = JSON.parse(text)
    assert.deepEqual(outcome(given), given.expected)
  })
}

// DECISION of version 5 has no ids, that of version 6 has, and the impression is told a second later.
test('a decision about a flag and its impression are the same', () => {
  const rules = { checkout: { key: 'checkout', experimentRules: [{ id: '9', key: 'exp' }] } }
  const client = { getOptimizelyConfig: () => ({ featuresMap: rules }) }
  const event = { flag_key: 'checkout', rule_key: 'exp', variation_key: 'on', user_id: 'u1' }
  const [decided, logged] = [event, { ...event, rule_type: 'feature-test' }].map((event) => readOptimizelyFeature(event, client, AT))
  assert.deepEqual([keyFields(decided), outcomeFields(decided)], [keyFields(logged), outcomeFields(logged)])
  assert.deepEqual([decided.refused, logged.refused], [undefined, undefined])
})

test('both entrances of Optimizely give the same decision', () => {
  page()
  const client = { get: (what) => ({ visitor: { visitorId: 'oeu1' }, data: { projectId: 'p1' } })[what] }
  const callback = {
    campaignId: 1, experimentId: 2, variationId: 3, isHoldback: false,
    decisionData: { visitorId: 'oeu1', projectId: 'p1' },
  }
  const event = { data: { decision: { campaignId: '1', experimentId: '2', variationId: '3', isCampaignHoldback: false } } }
  const mistakes = []
  const heard = readCallback(callback, client, AT, mistakes)
  const seen = readEvent(event, client)
  assert.deepEqual(mistakes, [])
  assert.deepEqual([keyFields(heard), outcomeFields(heard), heard.project], [keyFields(seen), outcomeFields(seen), seen.project])
})

const RICH = [
  'the real callback with strings and decisionData',
  'the published guide with a bare state and numbers',
  'an event picks its experiment by id and never the first',
  'an event without names takes those of the state',
  'the state tells what is active and what redirected here',
  'the state of Performance Edge knows experiments without campaigns',
  'ids and names',
  'properties come along',
  "an assignment handler's three arguments",
  'an exposure through the callback',
  'what the tracking callback of a feature gets',
  'metadata name the experiment',
  'a flag that the site lists',
  'a flag decided by an experiment rule',
  'an impression of an experiment rule',
  'an experiment with the name of its group',
  'a parameter of a layer belongs to the experiment',
]

const ANYTHING = [
  null, true, 0, -1.5, 1e300, '', '\u0000\u001f(1)', [], [[1]], ['a'], {}, { id: {} }, { $: 'f' }, { $: 'dNaN' }, { $: 'g-1' },
]

function* places(value, path) {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    yield [...path, name]
    yield* places(value[name], [...path, name])
  }
}

function isSound(decision) {
  const complete = (decision.experimentId ?? decision.experimentKey) && (decision.variationId ?? decision.variationKey)
  if (!complete && !decision.refused) assert.fail('it is not complete')
  for (const field of Object.keys(decision)) {
    const isText = /(Id|Key|Name|label|project|referrer|qa|forced)$/.test(field)
    if (isText && typeof decision[field] !== 'string') assert.fail(`${field} is no text`)
  }
}

// Nothing is guessed: whatever a page may put at each place, no reader throws, and a decision that is
// not refused has an experiment and a variation.
test('anything at any place is survived', () => {
  const rich = cases.filter(({ name }) => RICH.includes(name))
  assert.equal(rich.length, RICH.length)
  for (const { name, text } of rich) {
    const broken = JSON.parse(text)
    for (const path of ['input', 'client', 'settings'].flatMap((part) => [...places(broken[part], [part])])) {
      const place = path.at(-1)
      const parent = path.slice(0, -1).reduce((at, name) => at[name], broken)
      const before = parent[place]
      for (const value of ANYTHING) {
        parent[place] = value
        try {
          for (const decision of outcome(broken).decisions) isSound(decision)
        } catch (error) {
          error.message = `${name}, with ${JSON.stringify(value)} at ${path.join('/')}: ${error.message}`
          throw error
        }
      }
      parent[place] = before
    }
  }
})

test('where nothing can be read a decision is invalid and says why', () => {
  page()
  for (const thing of [locked, revoked, () => revoked([])]) {
    const mistakes = []
    const called = readCallback(thing(), thing(), AT, mistakes)
    assert.equal(called.refusal, 'trackLayerDecision: field `campaignId` is missing, must be a string or a number that is not empty')
    const direct = readDirect([thing()], AT, mistakes)
    assert.equal(
      direct.refusal,
      'trackDecision: field `experimentId` is missing, must be a string or a number that is not empty'
    )
    const event = readEvent(thing(), thing())
    assert.equal(event.refusal, 'no variation')
    assert.deepEqual(mistakes, [])
    assert.deepEqual(readState(thing(), false), [])
    assert.equal(visitor(thing()), '')
    assert.equal(readAvsb(thing()), undefined)
    assert.equal(readGrowthBook(thing(), AT), undefined)
    assert.equal(readOpenFeature(thing(), thing()), undefined)
    assert.equal(readOptimizelyFeature(thing(), thing(), AT).refusal, 'no rule applies')
    assert.equal(readStatsig(thing(), thing(), thing(), AT).refusal, 'Statsig had no value: ')
  }
  // What is in it cannot be read either.
  const call = { campaignId: 1, experimentId: 2, variationId: 3, decisionData: locked(), campaign: revoked([]), extension: revoked(), state: locked() }
  assert.equal(readCallback(call, locked(), AT, []).refused, undefined)
  const within = { ...call, decisionData: { layerName: revoked([]), experimentName: ['no name'], timestamp: locked() } }
  const decision = readCallback(within, {}, AT, [])
  assert.deepEqual([decision.refused, decision.experimentName, decision.campaignName, decision.decidedAt], [undefined, undefined, undefined, AT])
})

/** All readers that are called by page code, on one thing. */
const readAll = (thing) => [
  readCallback(thing, undefined, AT, []), readEvent(thing, undefined), readDirect([thing], AT, []), readGrowthBook(thing, AT), readAvsb(thing),
]

test('a field that throws is missing and the rest counts', () => {
  page()
  const call = { campaignId: '1', experimentId: '2', variationId: '3', isHoldback: false }
  const refuse = { get() { throw new Error('hostile') }, enumerable: true, configurable: true }
  for (const name of ['isHoldback', 'decisionData', 'campaign', 'extension', 'state', 'decidedAt', 'timestamp', 'experimentName', 'userId', 'properties']) {
    const thing = Object.defineProperty({ ...call }, name, refuse)
    for (const decision of [readCallback(thing, undefined, AT, []), readDirect([thing], AT, [])]) {
      assert.deepEqual([decision.experimentId, decision.variationId, decision.refused, decision.isHoldback], ['2', '3', undefined, false], name)
    }
  }
  const properties = Object.defineProperty({ team: 'web' }, 'secret', refuse)
  assert.deepEqual(readDirect([{ ...call, properties }], AT, []).properties, { team: 'web' })
  // Of these not even the names can be read.
  assert.deepEqual(readDirect([{ ...call, properties: locked() }], AT, []).properties, {})
})

test('what refers to itself is read like anything else', () => {
  page()
  const circle = { campaignId: '1', experimentId: '2', variationId: '3' }
  for (const name of ['campaign', 'decisionData', 'extension', 'data', 'decision', 'experimentName', 'state']) circle[name] = circle
  circle.properties = { circle, team: 'web' }
  circle.layerStates = [circle]
  for (const decision of readAll(circle).filter(Boolean)) isSound(decision)
  const mistakes = []
  const decision = readDirect([circle], AT, mistakes)
  assert.deepEqual([decision.experimentId, decision.experimentName, decision.properties], ['2', undefined, { team: 'web' }])
  assert.equal(mistakes.length, 1)
  let deep = circle
  for (let level = 0; level < 100_000; level++) deep = { decisionData: deep, data: deep, properties: deep }
  for (const decision of readAll(deep).filter(Boolean)) assert.ok(decision.refused)
})

test('objects of the page are never written to', () => {
  for (const { name, folder, text } of cases) {
    const shown = []
    const spy = (value) => {
      const thing = real(value)
      shown.push([thing, inspect(thing, { depth: Infinity, showHidden: true })])
      return thing
    }
    outcome(JSON.parse(text), spy)
    for (const [thing, before] of shown) assert.equal(inspect(thing, { depth: Infinity, showHidden: true }), before, `${folder}: ${name}`)
  }
})

test('what only a polluted prototype lends is not there', () => {
  Object.prototype.experimentId = 'polluted'
  Object.prototype.variationName = 'polluted'
  try {
    assert.equal(readDirect([{ variationId: 'v' }], AT, []).refused, 'invalid')
    assert.equal(readDirect([{ experimentId: 'e', variationId: 'v' }], AT, []).variationName, undefined)
  } finally {
    delete Object.prototype.experimentId
    delete Object.prototype.variationName
  }
})

test('the visitor is told by the client or by its cookie', () => {
  const id = (client, cookie) => {
    page({ cookie })
    return visitor(real(client))
  }
  const cookie = 'a=1; optimizelyEndUserId=oeu3'
  assert.equal(id({ 'get!visitor_id': { randomId: 'oeu1' }, 'get!visitor': { visitorId: 'oeu2' } }, cookie), 'oeu1')
  assert.equal(id({ 'get!visitor': { visitorId: 'oeu2' } }, cookie), 'oeu2')
  assert.equal(id([], cookie), 'oeu3')
  assert.equal(id({}, ''), '')
})

test('the redirect cookie names one experiment and its referrer', () => {
  const cookie = '{"r":"https://from.test/?a=b","x":"12","v":"34"}'
  assert.ok(isRedirecting('12', cookie))
  for (const other of ['1', '2', '', '123']) {
    assert.ok(!isRedirecting(other, cookie), other)
    assert.equal(redirectReferrer(other, cookie), '')
  }
  assert.equal(redirectReferrer('12', cookie), 'https://from.test/?a=b')
  assert.ok(!redirectReferrer('12', '{"x":"12"}'))
  assert.ok(!redirectReferrer('12', '12'))
  page({ cookie: `a=1; optimizelyRedirectData=${encodeURIComponent(cookie)}` })
  assert.equal(redirectReferrer('12'), 'https://from.test/?a=b')
})

test('a text is filled in once, and cut within no letter', () => {
  const decision = {}
  assert.equal(fill(decision, 'experimentName', '😀'.repeat(600)), true)
  assert.equal(decision.experimentName, '😀'.repeat(512))
  assert.equal(decision.shortened, true)
  for (const [name, value] of [['experimentName', 'later'], ['variationName', ''], ['referrer', undefined]]) assert.equal(fill(decision, name, value), false)
  assert.deepEqual(Object.keys(decision), ['experimentName', 'shortened'])
})

// Pages patch the clock, and break it: then the time is lost, and not the decision.
test('a clock that throws costs no decision', async () => {
  const { default: avsb } = await load('sources/avsb.js')
  const { default: openFeature } = await load('sources/open-feature.js')
  const { default: optimizelyWeb } = await load('sources/optimizely-web.js')
  const entry = { isActive: true, experiment: { id: '2' }, variation: { id: '3' } }
  const pushed = []
  const client = { push: (call) => pushed.push(call), get: (what) => what === 'state' && { getCampaignStates: () => ({ 1: entry }) } }
  page({ optimizely: client })
  const decisions = []
  const told = (decision) => decisions.push(decision)
  const api = { addHooks: (hook) => (api.hook = hook) }
  const slot = {}
  const clock = Date.now
  Date.now = () => {
    throw new Error('theirs')
  }
  try {
    avsb.hook(slot, told, () => {})
    slot.onEvent({ event_name: 'experiment_viewed', experiment_id: 'e', variation_id: 'v' })
    openFeature.hook(api, told, () => {})
    api.hook.finally({ context: {} }, { flagKey: 'f', variant: 'v', reason: 'SPLIT' })
    optimizelyWeb.hook('optimizely', told)
    pushed[0].handler({ data: { decision: { campaignId: '1', experimentId: '2', variationId: '3' } } })
  } finally {
    Date.now = clock
  }
  assert.deepEqual(decisions.map(({ source, decidedAt }) => [source, decidedAt]), [['avsb', 0], ['openFeature', 0], ['optimizelyWeb', 0], ['optimizelyWeb', 0]])
})
