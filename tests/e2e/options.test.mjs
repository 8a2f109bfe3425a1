// Options: what each does, and that a faulty one is named once and costs nothing but itself.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { abTest, decision, html, init, js, layerDecision, optimizely, push, script, snippet, tag } from './pages.mjs'

/** Options in error, by the name that the complaint must carry. */
const FAULTY = [
  ['writeKey', { writeKey: '../../evil.js?' }],
  ['writeKey', { writeKey: 5 }],
  ['cdnUrl', { writeKey: 'wk', cdnUrl: 'javascript:alert(1)' }],
  ['cdnUrl', { writeKey: 'wk', cdnUrl: 'http://cdn.example' }],
  ['cdnUrl', { writeKey: 'wk', cdnUrl: 'https://cdn.example/a?b' }],
  ['eventName', { eventName: 7 }],
  ['eventName', { eventName: '' }],
  ['propertyCase', { propertyCase: 'kebab-case' }],
  ['properties', { properties: 'x' }],
  ['properties', { properties: { nested: { a: 1 } } }],
  ['sources', { sources: 'all' }],
  ['sources[1]', { sources: ['optimizelyWeb', 'nope'] }],
  ['destinations', { destinations: { segment: true } }],
  ['destinations[1]', { destinations: ['segment', 'segmnt'] }],
  ['identify', { identify: 'yes' }],
  ['pollIntervalMs', { pollIntervalMs: 0 }],
  ['pollIntervalMs', { pollIntervalMs: NaN }],
  ['pollIntervalMs', { pollIntervalMs: 1e12 }],
  ['pollIntervalMs', { pollIntervalMs: '250' }],
  ['maxWaitMs', { maxWaitMs: -1 }],
  ['maxWaitMs', { maxWaitMs: 600_001 }],
  ['carryOverMs', { carryOverMs: -5 }],
  ['carryOverMs', { carryOverMs: 10n }],
  ['dedupe', { dedupe: 'forever' }],
  ['dedupe', { dedupe: true }],
  ['sessionTimeoutMs', { sessionTimeoutMs: 10 }],
  ['preview', { preview: 'maybe' }],
  ['qa', { qa: false }],
  ['qaSignals', { qaSignals: ['qa'] }],
  ['qaSignals.params', { qaSignals: { params: 'qa' } }],
  ['qaSignals.cookies', { qaSignals: { cookies: [1] } }],
  ['qaSignals.headers', { qaSignals: { headers: [] } }],
  ['holdback', { holdback: true }],
  ['requireConsent', { requireConsent: 'yes' }],
  ['alias', { alias: 'yes' }],
  ['statsig', { statsig: 5 }],
  ['destinationOptions', { destinationOptions: 'x' }],
  ['forwardEvents', { forwardEvents: 'optimizelyWeb' }],
  ['debug', { debug: 1 }],
  ['nope', { nope: 1 }],
]

for (const [name, options] of FAULTY) {
  story(
    `a faulty option is named once, and the rest works: ${js(options)}`,
    async (world) => {
      const heard = script(`window.heard=[];window.decisionBridge=[['on','error',(error)=>heard.push(error)]]`)
      const page = await world.open('/', html(snippet(world.origin), heard, init({ ...options, ...(name === 'properties' ? {} : { properties: { team: 'web' } }) }), push('trackDecision', decision()), tag()))
      const [event] = await world.delivered(page)
      if (name !== 'properties') assert.equal(event.properties.team, 'web', 'the rest works')
      const said = world.ours('error').map((line) => line.text)
      assert.equal(said.length, 1, said.join('\n'))
      assert.ok(said[0].includes(name), `${said[0]} names ${name}`)
      assert.match(said[0], /init/, 'and the method')
      const report = await world.diagnose(page)
      assert.equal(report.errors.length, 1)
      assert.equal(`[decision-bridge] ${report.errors[0].message}`, said[0])
      assert.equal(await page.evaluate(() => window.heard.length), 1, 'an "error" event')
    },
    { errors: true },
  )
}

for (const [came, options] of [['a string', '"wk"'], ['a list', '[]'], ['a number', '5']]) {
  story(
    `options that are ${came}: named, and the defaults work`,
    async (world) => {
      const page = await world.open('/', html(snippet(world.origin), script(`decisionBridge=[['init',${options}]]`), push('trackDecision', decision()), tag()))
      await world.delivered(page)
      assert.equal(world.ours('error').length, 1)
    },
    { errors: true },
  )
}

story(
  'several faults are several complaints, and what is good of a list stays',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init({ eventName: 'Seen', destinations: ['nope', 'segment', 'amplitud'], maxWaitMs: 'x' }), push('trackDecision', decision()), tag()))
    await world.delivered(page, 1, { name: 'Seen' })
    assert.equal(world.ours('error').length, 3)
  },
  { errors: true },
)

story('options that are not given, undefined, are no fault', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ writeKey: undefined, eventName: undefined, properties: undefined, qaSignals: {}, sources: 'auto', destinations: 'auto' }), push('trackDecision', decision()), tag()))
  await world.delivered(page)
})

story('a polluted Object.prototype configures nothing', async (world) => {
  const page = await world.open('/', html(script(`Object.prototype.eventName='Evil';Object.prototype.writeKey='evil'`), init(), script(`window.told=[];window.analytics={track:(name)=>told.push(name)}`), push('trackDecision', decision()), tag()))
  await until(() => page.evaluate(() => window.told.length > 0), 'it is told')
  assert.deepEqual(await page.evaluate(() => window.told), ['Experiment Viewed'])
  await page.evaluate(() => {
    delete Object.prototype.eventName
    delete Object.prototype.writeKey
  })
})

story('eventName, properties, and that a decision’s own extension.eventName wins', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ eventName: 'Seen', properties: { team: 'web', size: 3, beta: true } }), push('trackLayerDecision', layerDecision()), push('trackLayerDecision', layerDecision({ experimentId: '23', extension: { eventName: 'Own' } })), push('trackLayerDecision', layerDecision({ experimentId: '24', extension: { event_name: 'Own too' } })), tag()))
  const [seen] = await world.delivered(page, 1, { name: 'Seen' })
  assert.deepEqual([seen.properties.team, seen.properties.size, seen.properties.beta], ['web', 3, true])
  await world.delivered(page, 1, { name: 'Own' })
  await world.delivered(page, 1, { name: 'Own too' })
})

story('propertyCase: "snake_case"', async (world) => {
  const page = await world.open('/', html(optimizely({ campaigns: [abTest()] }), snippet(world.origin), init({ propertyCase: 'snake_case' }), push('trackDecision', decision()), tag()))
  const events = await world.delivered(page, 2)
  const of = (id) => events.find((event) => event.properties.experiment_id === id)
  assert.deepEqual(of('9101').properties, {
    experiment_id: '9101', experiment_name: 'Shorter form', variation_id: '9201', variation_name: 'Original', campaign_id: '9001', campaign_name: 'Checkout', is_holdback: false,
  })
  assert.deepEqual(Object.keys(of('100').properties).sort(), ['assigned_at', 'experiment_id', 'experiment_name', 'variation_id', 'variation_name'])
})

story('trackDecision: keys, names, time, and properties of its own', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ properties: { team: 'web', colour: 'red' } }), push('trackDecision', {
    experimentKey: 'checkout', variationKey: 'short', experimentName: 'Checkout', variationName: 'Short', decidedAt: '2026-01-02T03:04:05.678Z', properties: { colour: 'blue' },
  }), tag()))
  const [event] = await world.delivered(page)
  assert.equal(event.timestamp, '2026-01-02T03:04:05.678Z')
  assert.deepEqual(event.properties, {
    experimentId: 'checkout', experimentName: 'Checkout', variationId: 'short', variationName: 'Short', assignedAt: '2026-01-02T03:04:05.678Z', team: 'web', colour: 'blue',
  })
})

const DIGITS_16 = '4503599627370497'
const DIGITS_19 = '9223372036854775807'
for (const [name, id, sent] of [
  ['a string', '42', '42'],
  ['a number', 42, '42'],
  ['zero', 0, '0'],
  ['a BigInt', 42n, '42'],
  ['a string of 16 digits', DIGITS_16, DIGITS_16],
  ['a number of 16 digits', Number(DIGITS_16), DIGITS_16],
  ['a BigInt of 16 digits', BigInt(DIGITS_16), DIGITS_16],
  ['a string of 19 digits', DIGITS_19, DIGITS_19],
  ['a BigInt of 19 digits', BigInt(DIGITS_19), DIGITS_19],
  ['text that is no number', 'new-form_é', 'new-form_é'],
]) {
  story(`ids: ${name}`, async (world) => {
    const ids = { campaignId: id, experimentId: id, variationId: id }
    const page = await world.open('/', html(snippet(world.origin), init(), push('trackLayerDecision', { ...ids, isHoldback: false }), push('trackDecision', { ...ids, source: 'own' }), tag()))
    for (const { properties } of await world.delivered(page, 2)) {
      assert.deepEqual([properties.experimentId, properties.variationId], [sent, sent])
    }
    assert.ok(world.exposures().some(({ properties }) => properties.campaignId === sent))
  })
}

story(
  'ids: a number beyond 2^53 has lost digits before it came: sent as it came, and reported',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init(), script(`decisionBridge.push(['trackDecision',{experimentId:9007199254740993,variationId:'v'}])`), tag()))
    const [event] = await world.delivered(page)
    assert.equal(event.properties.experimentId, '9007199254740992')
    const report = await world.diagnose(page)
    assert.ok([...report.errors, ...report.warnings].some(({ message }) => message.includes('experimentId')), 'the report names the field')
  },
  { errors: true },
)

for (const [field, call] of [
  ['experimentId', ['trackLayerDecision', layerDecision({ experimentId: {} })]],
  ['experimentId', ['trackLayerDecision', layerDecision({ experimentId: '' })]],
  ['campaignId', ['trackLayerDecision', layerDecision({ campaignId: undefined })]],
  ['variationId', ['trackLayerDecision', layerDecision({ variationId: NaN })]],
  ['experimentId', ['trackDecision', { variationId: 'v' }]],
  ['experimentId', ['trackDecision', { experimentId: [], variationId: 'v' }]],
  ['variationId', ['trackDecision', { experimentId: 'e', variationId: true }]],
]) {
  story(
    `an invalid decision is counted, and the field named: ${js(call)}`,
    async (world) => {
      const page = await world.open('/', html(snippet(world.origin), init(), push(...call), push('trackDecision', decision()), tag()))
      await world.delivered(page)
      const report = await world.diagnose(page)
      assert.equal(report.counts.invalid, 1)
      const invalid = report.decisions.find((each) => each.verdict === 'invalid')
      assert.ok(invalid.reason.includes(field), invalid.reason)
    },
    { errors: true },
  )
}

story('names are cut at 512 characters, and lone surrogates do no harm', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), script(`decisionBridge.push(['trackDecision',{experimentId:'e',variationId:'v',experimentName:'x'.repeat(100000),variationName:'a\\ud800b'}])
    for(const experimentId of ['half \\ud800','half \\ud801'])decisionBridge.push(['trackDecision',{experimentId,variationId:'v'}])`), tag()))
  const events = await world.delivered(page, 3)
  const { properties } = events.find((event) => event.properties.experimentId === 'e')
  assert.equal(properties.experimentName.length, 512)
  assert.equal(properties.variationName.length, 3)
})
