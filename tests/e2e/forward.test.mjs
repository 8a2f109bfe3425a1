// The way back: what analytics is told, Optimizely Web is told.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { story, until } from './harness.mjs'
import { decision, html, init, optimizely, optimizelyConfig, optimizelyScript, push, script, snippet, tag } from './pages.mjs'

const forward = (options = {}) => init({ forwardEvents: { to: 'optimizelyWeb', ...options } })
const real = (tab) => until(() => tab.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
const running = (tab) => until(() => tab.evaluate(() => window.decisionBridge.diagnose?.().state === 'running'), 'the bridge runs')

/** The events Optimizely was told, by its client when it is there, else by its queue. */
const told = (tab) =>
  tab.evaluate(() => {
    const log = window.optimizelyStandIn?.log ?? window.optimizely?.log
    const pushed = Array.isArray(window.optimizely) ? [...window.optimizely] : (log ?? []).filter(({ step }) => step === 'push').map(({ command }) => command)
    return pushed.filter(({ type }) => type === 'event')
  })
const names = async (tab) => (await told(tab)).map(({ eventName }) => eventName)

for (const [name, cdn] of [['analytics.js', '/cdn/delay-500'], ['analytics-next 1.67', '/cdn/old/delay-500']]) {
  story(`what was queued on the stub of ${name} is forwarded, before and after we came`, async (world) => {
    const before = script("analytics.track('Before', { plan: 'pro', deep: { a: 1 }, seats: 3 });analytics.page('Docs', 'Intro', { revenue: 0 })")
    const tab = await world.open('/', html(snippet(world.origin, { cdn }), before, forward(), optimizely({}), tag()))
    await running(tab)
    await tab.evaluate(() => window.analytics.track('After', { revenue: '$49.99' }))
    await until(async () => (await names(tab)).length >= 4, 'all are forwarded')
    await world.settle(tab)
    const events = (await told(tab)).filter(({ eventName }) => !eventName.startsWith('Sentinel'))
    assert.deepEqual(events.map(({ eventName }) => eventName).sort(), ['After', 'Before', 'Viewed Docs Intro Page', 'Viewed Docs Page'])
    const tags = Object.fromEntries(events.map(({ eventName, tags }) => [eventName, tags]))
    assert.deepEqual(tags.Before, { plan: 'pro', seats: 3 })
    assert.deepEqual(tags.After, { revenue: 49.99 })
    assert.equal(tags['Viewed Docs Page'].category, 'Docs')
    assert.equal(tags['Viewed Docs Page'].path, '/')
    assert.ok(!('revenue' in tags['Viewed Docs Page']), 'no 0 as revenue')
  })
}

story('what is told to the real analytics.js is forwarded at once, whatever its servers do', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), forward({ revenue: 'cents', onlyRevenueFor: ['Order Completed'] }), optimizely({}), tag()))
  await real(tab)
  await world.settle(tab)
  world.server.ingestion.delayMs = 3000
  const events = await tab.evaluate(async () => {
    const log = window.optimizely.log ?? window.optimizelyStandIn.log
    const from = log.length
    analytics.track('Order Completed', { revenue: '1,234.50', quantity: '2' })
    analytics.track('Product Added', { revenue: 5, price: 5 })
    analytics.track('a:b')
    analytics.page()
    return log.slice(from).map(({ command }) => command)
  })
  assert.deepEqual(events, [
    { type: 'event', eventName: 'Order Completed', tags: { revenue: 123_450, quantity: 2 } },
    { type: 'event', eventName: 'Product Added', tags: { price: 5 } },
    { type: 'event', eventName: 'a_b', tags: {} },
  ])
})

story('where we come late, what is told from then on is forwarded, once', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), forward(), optimizely({})))
  await real(tab)
  await tab.evaluate(() => void window.analytics.track('Before'))
  await tab.addScriptTag({ url: '/dist/decision-bridge.js' })
  await running(tab)
  await tab.evaluate(() => void window.analytics.track('After'))
  await world.settle(tab)
  assert.deepEqual((await names(tab)).filter((name) => !name.startsWith('Sentinel')), ['After'])
})

story('our own exposures never come back, whatever they are called', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin, { cdn: '/cdn/delay-300' }), init({ eventName: 'Seen', forwardEvents: { to: 'optimizelyWeb' } }), optimizely({}), push('trackDecision', decision()), tag()))
  await world.delivered(tab, 1, { name: 'Seen' })
  await tab.evaluate((each) => window.decisionBridge.trackDecision(each), decision({ experimentId: '101' }))
  await world.delivered(tab, 2, { name: 'Seen' })
  assert.ok((await names(tab)).every((name) => name.startsWith('Sentinel')), 'only what the test itself told')
})

story('only what was asked for is forwarded', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), forward({ track: false, categorizedPages: false }), optimizely({}), tag()))
  await real(tab)
  await running(tab)
  await tab.evaluate(() => {
    window.analytics.track('Bought')
    window.analytics.page('Docs', 'Intro')
    window.analytics.page('Docs')
  })
  await world.settle(tab)
  assert.deepEqual(await names(tab), ['Viewed Docs Intro Page', 'Viewed Docs Page'], 'a single name is the name of the page')
})

story('Optimizely that comes late finds its queue', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), forward(), tag()))
  await real(tab)
  await running(tab)
  await tab.evaluate(() => void window.analytics.track('Bought', { revenue: 7 }))
  await until(async () => (await names(tab)).length === 1, 'it is queued')
  assert.deepEqual((await told(tab))[0], { type: 'event', eventName: 'Bought', tags: { revenue: 7 } })
  await tab.addScriptTag({ content: optimizelyConfig({}).replace(/<\/?script>/g, '') })
  await tab.addScriptTag({ url: /src="(.*?)"/.exec(optimizelyScript)[1] })
  assert.deepEqual(await names(tab), ['Bought'])
})

story('nothing is forwarded without consent, nor after a refusal, nor without the option', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init({ requireConsent: true, forwardEvents: { to: 'optimizelyWeb' } }), optimizely({}), tag()))
  const track = (name) => tab.evaluate((name) => void window.analytics.track(name), name)
  await real(tab)
  await running(tab)
  await track('before')
  await tab.evaluate(() => window.decisionBridge.consent(true))
  await track('between')
  await tab.evaluate(() => window.decisionBridge.consent(false))
  await track('after')
  await world.settle(tab)
  assert.deepEqual(await names(tab), ['between'])
  const plain = await world.open('/plain', html(snippet(world.origin), init(), optimizely({}), tag()))
  await real(plain)
  await plain.evaluate(() => void window.analytics.track('Bought'))
  await world.settle(plain)
  assert.deepEqual(await names(plain), [])
})

story('what stands in the way of Optimizely’s name disturbs nobody', async (world) => {
  const tab = await world.open('/', html('<div id="optimizely"></div>', snippet(world.origin), forward(), tag()))
  await real(tab)
  await running(tab)
  await tab.evaluate(() => void window.analytics.track('Bought'))
  await world.settle(tab)
  assert.ok(world.server.events.some(({ event }) => event === 'Bought'))
})

const RUDDER = new URL('../node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js', import.meta.url)

story('RudderStack’s events, queued and live, in the spelling of its own destination', async (world) => {
  // What is on npm defines a class; what RudderStack serves makes the instance, too.
  const sdk = `(()=>{const exports={},module={exports};${readFileSync(RUDDER, 'utf8')}\nnew exports.RudderAnalytics()})()`
  world.server.pages.set('/rudder.js', { html: sdk, headers: { 'content-type': 'text/javascript' } })
  world.server.pages.set('/sourceConfig', { html: JSON.stringify({ source: { id: 's', name: 's', writeKey: 'w', enabled: true, config: { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } }, connections: [], destinations: [], dataplanes: {} }, updatedAt: '2024-01-01' }), headers: { 'content-type': 'application/json' } })
  // As RudderStack's own snippet: a queue whose methods hand on to what takes its place.
  const stub = script(`var r=window.rudderanalytics=[];r.snippetExecuted=true;['load','page','track','identify','ready'].forEach(function(m){r[m]=function(){
    var a=[].slice.call(arguments);Array.isArray(window.rudderanalytics)?r.push([m].concat(a)):window.rudderanalytics[m].apply(window.rudderanalytics,a)}});
    r.load('w',location.origin,{configUrl:location.origin,plugins:[],loadIntegration:false,storage:{encryption:{version:'legacy'}}});r.track('Before',{plan:'pro'});r.page('Docs','Intro')`)
  const tab = await world.open('/', html(stub, init({ destinations: ['segment'], forwardEvents: { to: 'optimizelyWeb' } }), optimizely({}), tag()))
  await running(tab)
  await tab.evaluate(() => {
    window.stub = window.rudderanalytics
    window.stub.track('Between')
  })
  await tab.evaluate(() => document.head.append(Object.assign(document.createElement('script'), { src: '/rudder.js' })))
  await until(() => tab.evaluate(() => !Array.isArray(window.rudderanalytics)), 'RudderStack has loaded')
  await tab.evaluate(() => {
    window.rudderanalytics.track('Live', { revenue: '5' })
    window.stub.track('By a stale reference')
    window.rudderanalytics.page('Home')
    window.rudderanalytics.page({ path: '/' })
  })
  assert.deepEqual(await names(tab), ['Before', 'Viewed Docs page', 'Viewed Intro page', 'Between', 'Live', 'By a stale reference', 'Viewed Home page'])
})
