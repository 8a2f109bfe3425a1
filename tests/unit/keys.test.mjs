// Keys: what is the same has the same key, and nothing else has.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AT, load, property } from './page.mjs'

const { enrich, fill, isPlausible, keyFields, land, make, outcomeFields, readHoldback, readId, refuse } = await load('decision.js')

function decided(source, fields, isHoldback = false) {
  return Object.assign(make(source, AT, fields, Object.keys(fields).join(' ')), { isHoldback })
}
const BASE = { campaignId: 'c1', experimentId: 'e1', variationId: 'v1' }
const optimizely = (more, isHoldback) => decided('optimizelyWeb', { ...BASE, ...more }, isHoldback)

test('the dedupe key names campaign, experiment and user and leaves the rest to the outcome', () => {
  const base = optimizely()
  for (const same of [optimizely({ variationId: 'v2' }), optimizely({}, true)]) {
    assert.deepEqual(keyFields(same), keyFields(base))
    assert.notDeepEqual(outcomeFields(same), outcomeFields(base))
  }
  for (const other of [
    optimizely({ experimentId: 'e2' }),
    optimizely({ campaignId: 'c2' }),
    optimizely({ userId: 'u1' }),
    optimizely({ label: 'webyn' }),
    decided('direct', BASE),
  ]) {
    assert.notDeepEqual(keyFields(other), keyFields(base))
    assert.deepEqual(outcomeFields(other), outcomeFields(base))
  }
})

test('what is learned or told later changes no key', () => {
  const later = optimizely({ experimentName: 'Name', variationName: 'Name', audienceId: '5', referrer: 'https://a.test', pageUrl: 'https://b.test', project: 'p' })
  later.decidedAt = AT + 1e6
  assert.deepEqual([keyFields(later), outcomeFields(later)], [keyFields(optimizely()), outcomeFields(optimizely())])
})

test("a flag is part of the dedupe key but not GrowthBook's feature", () => {
  const of = (source, flagKey) => keyFields(decided(source, { experimentKey: 'e1', variationKey: 'v1', flagKey }))
  for (const source of ['openFeature', 'optimizelyFeature', 'direct']) assert.notDeepEqual(of(source, 'f1'), of(source, 'f2'))
  assert.deepEqual(of('growthbook', 'f1'), of('growthbook', 'f2'))
})

test('decisions share a key only if campaign, experiment and user are the same', () => {
  property(2000, ({ text, of }) => {
    const three = () => [text(3), text(3), text(3)]
    const [a, b, c] = three()
    // What may divide them stands in them, too.
    const divider = of(['', ':', ',', '|', '\u0000'])
    const one = of([three(), [a, b + divider + c, '']])
    const other = of([three(), one, [...one].reverse(), [a + divider + b, c, '']])
    const key = ([campaignId, experimentId, userId]) => JSON.stringify(keyFields(decided('optimizelyWeb', { campaignId, experimentId, userId })))
    assert.equal(key(one) === key(other), JSON.stringify(one) === JSON.stringify(other))
  })
})

test('all parts of keys are texts, which the core is told letter by letter', () => {
  property(2000, ({ thing, of }) => {
    const decision = make(of(['optimizelyWeb', 'direct', 'growthbook', 'statsig']), AT)
    for (const field of ['campaignId', 'experimentId', 'experimentKey', 'variationId', 'variationKey', 'userId', 'flagKey', 'label']) fill(decision, field, thing(['a']))
    for (const part of [...keyFields(decision), ...outcomeFields(decision)]) assert.equal(typeof part, 'string')
  })
})

test('the first refusal counts', () => {
  const decision = optimizely()
  refuse(decision, 'invalid', 'the first')
  refuse(decision, 'not-an-exposure', 'the second')
  assert.deepEqual([decision.refused, decision.refusal], ['invalid', 'the first'])
})

test('a decision takes over what the same one, told by another entrance, knows more', () => {
  const decision = optimizely({ experimentName: 'Known', pageUrl: 'https://shop.test/a' })
  assert.equal(enrich(decision, optimizely({ experimentName: 'Other', variationId: 'v2' })), false)
  assert.equal(enrich(decision, optimizely({ experimentName: 'Other', variationName: 'New', audienceId: '5' })), true)
  assert.deepEqual([decision.experimentName, decision.variationName, decision.audienceId, decision.variationId], ['Known', 'New', '5', 'v1'])
  assert.equal(decision.pageUrl, 'https://shop.test/a')
  assert.equal(enrich(decision, optimizely({ referrer: 'https://before.test' })), true)
  assert.deepEqual([decision.referrer, decision.pageUrl], ['https://before.test', ''], 'it belongs to the page where the redirect landed')
  assert.equal(land(decision, 'https://other.test'), false)
})

test('a moment is plausible within this millennium, and until clocks that disagree', () => {
  for (const good of [AT, AT + 86_400_000, 946_684_800_000]) assert.ok(isPlausible(good, AT))
  for (const bad of [NaN, 0, -1, 946_684_799_999, AT + 86_400_001, Infinity, undefined]) assert.ok(!isPlausible(bad, AT))
})

test('a holdback is never told by its truthiness', () => {
  for (const [value, isHoldback, isMistake] of [
    [true, true], ['true', true], [1, true], ['1', true], [1n, true], [false, false], ['false', false], [0, false], ['0', false],
    [undefined, false], [null, false], ['yes', false, true], ['', false, true], [{}, false, true], [[true], false, true], [2, false, true],
  ]) {
    const mistakes = []
    assert.equal(readHoldback(value, 'who: field', mistakes), isHoldback)
    assert.equal(mistakes.length, isMistake ? 1 : 0, String(value))
  }
})

test('an id keeps all its digits, and what had lost some is reported', () => {
  for (const [value, id, mistakes] of [
    ['007', '007', 0], [0, '0', 0], [9_007_199_254_740_991, '9007199254740991', 0], [2 ** 53, '9007199254740992', 1], [-(2 ** 53), '-9007199254740992', 1],
    [12345678901234567890n, '12345678901234567890', 0],
  ]) {
    const decision = make('direct', AT)
    const told = []
    assert.equal(readId(decision, 'userId', ['who: field', 'userId', value], true, told), undefined)
    assert.deepEqual([decision.userId, told.length], [id, mistakes])
  }
  for (const value of ['', NaN, Infinity, true, {}, [], () => {}, Symbol('s'), undefined, null]) {
    const wrong = readId(make('direct', AT), 'userId', ['who: field', 'userId', value], true, [])
    assert.match(wrong, /^who: field `userId` is .*, must be a string or a number that is not empty$/)
  }
})
