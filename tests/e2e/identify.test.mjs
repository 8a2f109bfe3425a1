// The trait `experiments` of Segment's user.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, js, push, script, snippet, tag } from './pages.mjs'

const seen = (experimentKey, variationKey) => decision({ experimentId: undefined, variationId: undefined, experimentKey, variationKey })
const identifies = (world) => world.server.unique().filter((event) => event.type === 'identify')
const traits = (world) => identifies(world).map((event) => event.traits.experiments)
const page = (world, { cdn, ...options }, ...parts) => html(snippet(world.origin, { cdn }), init({ identify: true, ...options }), ...parts, tag())
const real = (page) => until(() => page.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
const decide = (page, ...decisions) => page.evaluate((all) => all.forEach((each) => window.decisionBridge.trackDecision(each)), decisions)

for (const [name, cdn] of [['as a stub', '/cdn/delay-500'], ['as a stub of analytics-next 1.67', '/cdn/old/delay-500'], ['ready', '/cdn']]) {
  story(`Segment, found ${name}, is told the whole map with each new exposure`, async (world) => {
    const tab = await world.open('/', page(world, { cdn }))
    if (name === 'ready') await real(tab)
    await until(() => tab.evaluate(() => window.decisionBridge.version), 'our script is there')
    await decide(tab, seen('hero', 'large'), seen('price', 'low'))
    await world.delivered(tab, 2)
    assert.deepEqual(traits(world).at(-1), { hero: 'large', price: 'low' })
    await decide(tab, seen('cart', 'b'))
    await world.delivered(tab, 3)
    assert.deepEqual(traits(world).at(-1), { hero: 'large', price: 'low', cart: 'b' })
    assert.deepEqual(await tab.evaluate(() => window.analytics.user().traits().experiments), { hero: 'large', price: 'low', cart: 'b' })
  })
}

story('a returning visitor keeps what was known, and a duplicate tells nothing', async (world) => {
  const tab = await world.open('/', page(world, {}, push('trackDecision', seen('hero', 'large'))))
  await world.delivered(tab)
  await world.open('/', undefined, tab)
  await world.counted(tab, 'duplicate')
  await world.settle(tab)
  assert.equal(identifies(world).length, 1, 'a reload is no news')
  await world.open('/second', page(world, {}, push('trackDecision', seen('price', 'low'))), tab)
  await world.delivered(tab, 2)
  assert.deepEqual(traits(world), [{ hero: 'large' }, { hero: 'large', price: 'low' }])
})

story('a change of variation is told, and so is the same again in the next session', async (world) => {
  const options = { sessionTimeoutMs: 1000 }
  const tab = await world.open('/', page(world, options, push('trackDecision', seen('hero', 'large'))))
  await world.delivered(tab)
  await decide(tab, seen('hero', 'small'))
  await world.delivered(tab, 2)
  assert.deepEqual(traits(world), [{ hero: 'large' }, { hero: 'small' }])
  // Sessions are named by when they began: this one has to be over in truth.
  await new Promise((over) => setTimeout(over, options.sessionTimeoutMs + 100))
  await world.open('/next', page(world, options, push('trackDecision', seen('hero', 'small'))), tab)
  await world.delivered(tab, 3)
  assert.deepEqual(traits(world), [{ hero: 'large' }, { hero: 'small' }, { hero: 'small' }])
})

story('what Segment itself remembers is not lost', async (world) => {
  const old = script(`localStorage.setItem('ajs_user_traits', ${js(JSON.stringify({ plan: 'pro', experiments: { old: 'a', hero: 'small' } }))})`)
  const tab = await world.open('/', page(world, { cdn: '/cdn/delay-500' }, old, push('trackDecision', seen('hero', 'large'))))
  await world.delivered(tab)
  assert.deepEqual(traits(world), [{ old: 'a', hero: 'large' }])
  assert.equal(identifies(world)[0].traits.plan, 'pro')
})

story('another visitor begins anew', async (world) => {
  const tab = await world.open('/', page(world, { dedupe: 'none' }, push('trackDecision', seen('hero', 'large'))))
  await world.delivered(tab)
  await tab.evaluate(() => {
    window.analytics.reset()
    window.analytics.track('as somebody else')
  })
  await world.settle(tab)
  await decide(tab, seen('price', 'low'))
  await world.delivered(tab, 2)
  assert.deepEqual(traits(world), [{ hero: 'large' }, { price: 'low' }])
})

story('what a stub never sent is told on the next page', async (world) => {
  const tab = await world.open('/', page(world, { cdn: '/cdn/hang' }, push('trackDecision', seen('hero', 'large'))))
  await until(() => tab.evaluate(() => [...window.analytics].some(([method]) => method === 'identify')), 'the stub was told')
  await world.open('/second', page(world, {}), tab)
  await world.delivered(tab, 1)
  assert.deepEqual(traits(world), [{ hero: 'large' }])
})

story('ids where there are no keys, and a holdback is no variation', async (world) => {
  const held = decision({ experimentId: 300, isHoldback: true })
  const tab = await world.open('/', page(world, { holdback: 'send' }, push('trackDecision', decision({ experimentId: 100, variationId: 200n })), push('trackDecision', held)))
  await world.delivered(tab, 2)
  assert.deepEqual(traits(world).at(-1), { 100: '200', 300: 'holdback' })
})

story('a key that every object has anyway is a key like any other', async (world) => {
  const tab = await world.open('/', page(world, {}, push('trackDecision', seen('__proto__', 'a')), push('trackDecision', seen('constructor', 'b'))))
  await world.delivered(tab, 2)
  await world.open('/second', page(world, {}, push('trackDecision', seen('hero', 'c'))), tab)
  await world.delivered(tab, 3)
  // Segment itself drops the first of them.
  assert.equal(JSON.stringify(traits(world).at(-1)), '{"constructor":"b","hero":"c"}')
  const kept = await tab.evaluate(() => localStorage['decision-bridge/1/experiments'])
  assert.match(kept, /"all":{"__proto__":"a","constructor":"b","hero":"c"}/)
})

story('nothing is told or kept without consent, and a refusal forgets', async (world) => {
  const tab = await world.open('/', page(world, { requireConsent: true }, push('trackDecision', seen('hero', 'large'))))
  await world.counted(tab, 'pending')
  await world.settle(tab)
  assert.equal(identifies(world).length, 0)
  const kept = () => tab.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge')))
  assert.deepEqual(await kept(), [])
  await tab.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(tab)
  assert.deepEqual(traits(world), [{ hero: 'large' }])
  assert.ok((await kept()).includes('decision-bridge/1/experiments'))
  await tab.evaluate(() => window.decisionBridge.consent(false))
  assert.deepEqual(await kept(), [])
})

story('without the option nobody is identified', async (world) => {
  const tab = await world.open('/', page(world, { identify: false }, push('trackDecision', seen('hero', 'large'))))
  await world.delivered(tab)
  assert.equal(identifies(world).length, 0)
})

story('an identify that throws costs no exposure', async (world) => {
  const tab = await world.open('/', html(script(`window.analytics={told:[],track(name){this.told.push(name)},identify(){throw new Error('no')}}`), init({ identify: true }), push('trackDecision', seen('hero', 'large')), tag()))
  await world.counted(tab, 'delivered')
  assert.deepEqual(await tab.evaluate(() => window.analytics.told), ['Experiment Viewed'])
})

story('context and integrations reach Segment with each exposure, and nothing else changes', async (world) => {
  const destinationOptions = { segment: { context: { app: { name: 'shop' }, ip: '0.0.0.0' }, integrations: { Amplitude: { session_id: 7 }, Mixpanel: false } } }
  const tab = await world.open('/', page(world, { destinationOptions, identify: false }, push('trackDecision', seen('hero', 'large'))))
  const [event] = await world.delivered(tab)
  assert.deepEqual(event.context.app, { name: 'shop' })
  assert.equal(event.context.ip, '0.0.0.0')
  assert.equal(event.context.page.path, '/')
  assert.equal(event.integrations.Mixpanel, false)
  assert.deepEqual(event.integrations.Amplitude, { session_id: 7 })
  await tab.evaluate(() => void window.analytics.track('own'))
  await until(() => world.server.events.some((each) => each.event === 'own'), 'the page’s own event arrives')
  assert.equal(world.server.events.find((each) => each.event === 'own').context.app, undefined)
})
