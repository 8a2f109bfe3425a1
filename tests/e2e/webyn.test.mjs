// Webyn, and any tool with a callback of its own: trackDecision is that callback.

import assert from 'node:assert/strict'
import { story } from './harness.mjs'
import { html, init, js, script, snippet, tag } from './pages.mjs'

const OURS = '<script src="/dist/decision-bridge.js"></script>'
const AT = '2026-03-01T12:00:00.000Z'
const SENT = { experimentId: 'exp_1', experimentName: 'Hero', variationId: 'v2', variationName: 'Bold', assignedAt: AT }
const OBJECT = { experimentId: 'exp_1', experimentName: 'Hero', variantId: 'v2', variantName: 'Bold', assignedAt: AT }
const ARGUMENTS = ['exp_1', 'v2', { experimentName: 'Hero', variantName: 'Bold', assignedAt: AT }]

/** A tool that calls the handler it is given with what it has, and with no `this`. */
const tool = (handler, ...given) => script(`((options)=>{const {onAssignment}=options;onAssignment(...${js(given)})})({onAssignment:${handler}})`)
const STUB = script('window.decisionBridge=window.decisionBridge||[]')

for (const [title, page] of [
  ['as the handler itself, with an object', (world) => html(snippet(world.origin), init(), OURS, tool('decisionBridge.trackDecision', OBJECT))],
  ['as the handler itself, with three arguments', (world) => html(snippet(world.origin), init(), OURS, tool('decisionBridge.trackDecision', ...ARGUMENTS))],
  ['pushed before we loaded, with an object', (world) => html(snippet(world.origin), STUB, tool('d=>decisionBridge.push(["trackDecision",d])', OBJECT), init(), tag())],
  ['pushed before we loaded, with three arguments', (world) => html(snippet(world.origin), STUB, tool('(...all)=>decisionBridge.push(["trackDecision",...all])', ...ARGUMENTS), init(), tag())],
  ['pushed after we loaded', (world) => html(snippet(world.origin), init(), OURS, tool('d=>decisionBridge.push(["trackDecision",d])', OBJECT))],
]) {
  story(`an assignment is sent once: ${title}`, async (world) => {
    const tab = await world.open('/', page(world))
    const [event] = await world.delivered(tab)
    assert.deepEqual(event.properties, SENT)
    assert.equal(event.timestamp, AT)
    await world.open('/', undefined, tab)
    await world.counted(tab, 'duplicate')
    await world.delivered(tab)
  })
}

story('without a time of its own an assignment was made when it came', async (world) => {
  const before = Date.now()
  const tab = await world.open('/', html(snippet(world.origin), init(), OURS, tool('decisionBridge.trackDecision', 'exp_1', 'v2')))
  const [{ properties }] = await world.delivered(tab)
  const at = Date.parse(properties.assignedAt)
  assert.ok(at >= before && at <= Date.now())
  assert.deepEqual({ ...properties, assignedAt: AT }, { experimentId: 'exp_1', experimentName: 'exp_1', variationId: 'v2', variationName: 'v2', assignedAt: AT })
})

story('a handler that is called with nothing good says what it wants', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), OURS, tool('decisionBridge.trackDecision', null), tool('decisionBridge.trackDecision', 'exp_1', {})))
  await world.counted(tab, 'invalid', 2)
  assert.deepEqual(world.ours('error').map((line) => line.text), [
    '[decision-bridge] trackDecision `argument 1` is null, must be an object, or the id of an experiment',
    '[decision-bridge] trackDecision: field `variationId` is an object, must be a string or a number that is not empty',
  ])
}, { errors: true })

story('a change of the variant is new, the same again is not', async (world) => {
  const handler = 'decisionBridge.trackDecision'
  // Each event goes over the line in a request of its own: in which order they arrive is the network's to say.
  const heard = script(`window.told=[];analytics.on('track',(name,{variationId})=>variationId&&told.push(variationId))`)
  const tab = await world.open('/', html(snippet(world.origin), heard, init(), OURS, ...['v1', 'v2', 'v2', 'v1'].map((variant) => tool(handler, 'exp_1', variant))))
  await world.delivered(tab, 3)
  assert.deepEqual(await tab.evaluate(() => window.told), ['v1', 'v2', 'v1'])
})
