// Records of what waits: they come back as they went in, and what others may have put there is no item.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AT, load, property, told } from './page.mjs'

const { TEXTS, anyItem, isWhole } = await import('../../fuzz/foreign.mjs')
const { make } = await load('decision.js')
const { record, revive } = await load('record.js')

function decided(fields, more) {
  const all = { campaignId: 'c1', experimentId: 'e1', variationId: 'v1', ...fields }
  return Object.assign(make('optimizelyWeb', AT, all, Object.keys(all).join(' ')), more)
}
const PARCEL = [0, 1, 'db-1', false]
const written = (decision, to = [PARCEL], more = {}) =>
  record({ decision, receivedAt: AT, period: 's1', isQa: false, isPreview: false, ...more }, to)

const known = (decision) => {
  const { personalization, ...rest } = told(decision)
  return personalization ? { ...rest, personalization } : rest
}

test('whatever was decided comes back from its record', () => {
  property(1000, (any) => {
    const [item, to] = anyItem(any)
    const back = revive(record(item, to), AT)
    assert.deepEqual(known(back.decision), known(JSON.parse(JSON.stringify(item.decision))))
    assert.deepEqual(back.to, to)
    assert.deepEqual([back.receivedAt, back.period, back.isQa, back.isPreview], [item.receivedAt, item.period, item.isQa, item.isPreview])
  })
})

test('a record that was cut off, or has something behind it, is no item', () => {
  property(1000, (any) => {
    const whole = record(...anyItem(any))
    assert.equal(revive(whole.slice(0, any.below(whole.length)), AT), undefined)
    assert.equal(revive(`${whole}x`, AT), undefined)
  })
})

test('garbage is no item', () => {
  for (const garbage of ['', 'null', '[]', '{}', '1', '"text"', '{"v":3}', '{"v":3,"decision":null}', '{"v":3,"decision":[]}']) {
    assert.equal(revive(garbage, AT), undefined)
  }
  property(1000, ({ text, thing }) => {
    assert.equal(revive(text(40), AT), undefined)
    let entry
    try {
      entry = JSON.stringify(thing(['v', 'decision', 'to', 'source', 'direct', 'decidedAt']))
    } catch {
      // Not everything can be written down.
    }
    assert.equal(revive(entry, AT), undefined)
  })
})

test('a field that is not what it should be never gives half an item', () => {
  property(1000, (any) => {
    const [item, to] = anyItem(any)
    const broken = JSON.parse(record(item, to))
    const names = ['1710000000000', '3', 'direct', 'db-1', 'true', ...TEXTS, 'refused', 'refusal', 'properties', 'mayRedirect', 'shortened', 'period']
    const put = (at) => {
      try {
        at[any.of([...Object.keys(at), any.of(names)])] = JSON.parse(JSON.stringify(any.thing(names, 2)) ?? 'null')
      } catch {
        // Not everything can be written down.
      }
    }
    put(any.of([broken, broken.decision, broken.to, broken.to[0], broken.decision.properties ?? {}]))
    isWhole(revive(JSON.stringify(broken), AT))
  })
})

test('a bit that flipped never throws and never gives half an item', () => {
  property(1000, (any) => {
    const bytes = Buffer.from(record(...anyItem(any)))
    bytes[any.below(bytes.length)] ^= 1 << any.below(8)
    isWhole(revive(bytes.toString(), AT))
  })
})

test('a record of another version, of a time that cannot be, or without what matters is no item', () => {
  const whole = written(decided())
  assert.ok(revive(whole, AT))
  assert.equal(revive(written(decided(), []), AT), undefined, 'without a parcel')
  for (const version of ['2', '4', '"3"', 'null']) assert.equal(revive(whole.replace('"v":3', `"v":${version}`), AT), undefined, version)
  for (const name of ['experimentId', 'variationId']) assert.equal(revive(written(decided({}, { [name]: '' })), AT), undefined, name)
  assert.equal(revive(written(decided(), [[0, 1, 'x'.repeat(101)]]), AT), undefined, 'a key that is too long')
  assert.equal(revive(written(decided(), [[7, 1, 'db-1']]), AT), undefined, 'a destination that is none')
  assert.equal(revive(written(decided({}, { source: 'constructor' })), AT), undefined, 'a source that is none')
  assert.equal(revive(whole.replace(`"decidedAt":${AT}`, '"decidedAt":[{"toString":1}]'), AT), undefined, 'a time that cannot even be compared')
  assert.equal(revive(whole, AT - 2 * 86_400_000), undefined, 'of the future')
  for (const decidedAt of ['"1710000000000"', '"2024-03-09"', 'null', '[1710000000000]']) {
    assert.equal(revive(whole.replace(`"decidedAt":${AT}`, `"decidedAt":${decidedAt}`), AT), undefined, decidedAt)
  }
})

test('what was refused, or told by an event before a redirect, is a plain decision afterwards', () => {
  const back = revive(written(decided({}, { mayRedirect: true, refused: 'invalid', refusal: 'why' })), AT)
  assert.deepEqual([back.decision.refused, back.decision.refusal, back.decision.mayRedirect], [undefined, undefined, undefined])
})

test('texts of a record are cut like any other', () => {
  // As another script may have written it.
  const { decision } = revive(written(decided()).replace('"c1"', `"${'n'.repeat(5000)}"`), AT)
  assert.equal(decision.campaignId.length, 512)
})
