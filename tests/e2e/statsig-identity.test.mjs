// Segment's anonymousId in Statsig, and what Statsig wants to find in Segment's events.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { story, until } from './harness.mjs'
import { decision, html, init, js, push, script, snippet, tag } from './pages.mjs'

const SDK = new URL('../node_modules/@statsig/js-client/build/statsig-js-client.min.js', import.meta.url)

const experiment = (name, fields = {}) => ({
  name, value: { cta: 'Buy' }, rule_id: 'r_test', group: 'r_test', group_name: 'Test', id_type: 'userID', is_device_based: false,
  is_user_in_experiment: true, is_experiment_active: true, secondary_exposures: [], ...fields,
})

/** What Statsig's server answers for a user: one experiment counts users, the other anonymousIds. */
const answer = (user) => ({
  has_updates: true, time: 1760000000000, hash_used: 'none', user, feature_gates: {}, layer_configs: {},
  dynamic_configs: {
    checkout: experiment('checkout'),
    anonymous: user.customIDs?.segmentAnonymousId
      ? experiment('anonymous', { id_type: 'segmentAnonymousId' })
      : experiment('anonymous', { rule_id: 'default', group_name: undefined, is_user_in_experiment: false }),
  },
})

/** Statsig's server, as the page can reach it; `initialized` are the users it was asked for. */
async function statsigServer(world) {
  const initialized = []
  await world.context.route('**/statsig/v1/**', async (route) => {
    const request = route.request()
    if (!new URL(request.url()).pathname.endsWith('/initialize')) return route.fulfill({ json: { success: true } })
    const { user } = request.postDataJSON()
    initialized.push(user)
    return route.fulfill({ json: answer(user) })
  })
  return initialized
}

const sdk = `<script src="/statsig.js"></script>`
const OPTIONS = `{networkConfig:{api:location.origin+'/statsig/v1'},disableStatsigEncoding:true,disableCompression:true}`
/** The app: its client, and each state it was in. */
const app = (start = 'statsig.initializeAsync()', options = OPTIONS) =>
  sdk + script(`statsig=new Statsig.StatsigClient('client-key',{userID:'u1'},${options});states=[];
    statsig.on('values_updated',({status})=>states.push(status));${start}`)

function open(world, path, ...parts) {
  world.server.pages.set('/statsig.js', { html: readFileSync(SDK, 'utf8'), headers: { 'content-type': 'text/javascript' } })
  return world.open(path, html(...parts))
}

const identity = init({ statsig: { identity: true } })
const idAtStatsig = (tab) => tab.evaluate(() => window.statsig.getContext().user.customIDs?.segmentAnonymousId)
const idAtSegment = (tab) => tab.evaluate(() => window.analytics.user().anonymousId())
/** Our script comes when analytics.js is there. */
async function late(tab) {
  await until(() => tab.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
  await tab.addScriptTag({ url: '/dist/decision-bridge.js' })
}
const brought = async (tab) => {
  await until(() => idAtStatsig(tab), 'Statsig knows the anonymousId')
  return idAtStatsig(tab)
}

for (const [name, cdn] of [['as a stub', '/cdn/delay-800'], ['as a stub of 1.67', '/cdn/old/delay-800'], ['ready', '/cdn']]) {
  story(`first visit, Segment found ${name}: the id reaches Statsig as soon as it exists, and no value is missing meanwhile`, async (world) => {
    const asked = await statsigServer(world)
    const tab = await open(world, '/', snippet(world.origin, { cdn }), app(), identity, name === 'ready' ? '' : tag())
    if (name === 'ready') await late(tab)
    assert.equal(await brought(tab), await idAtSegment(tab))
    assert.equal(await tab.evaluate(() => window.statsig.getContext().user.userID), 'u1')
    assert.equal(await tab.evaluate(() => window.statsig.getExperiment('anonymous').groupName), 'Test')
    assert.equal(await tab.evaluate(() => window.statsig.getExperiment('checkout').groupName), 'Test')
    const states = await tab.evaluate(() => window.states)
    assert.deepEqual(states.slice(states.indexOf('Ready')).filter((state) => state !== 'Ready'), [], 'it is never without values again')
    assert.equal(asked.filter(({ customIDs }) => customIDs?.segmentAnonymousId).length, 1, 'asked for once')
  })
}

story('a returning visitor’s id is there at once, even where analytics.js never comes', async (world) => {
  await statsigServer(world)
  const before = script("document.cookie='ajs_anonymous_id=c0ffee00-0000-4000-8000-000000000000'")
  const tab = await open(world, '/', before, snippet(world.origin, { cdn: '/cdn/hang' }), app(), identity, tag())
  assert.equal(await brought(tab), 'c0ffee00-0000-4000-8000-000000000000')
})

story('the same assignment is one exposure, though Statsig logs it anew for the user with the id', async (world) => {
  await statsigServer(world)
  const read = "statsig.on('values_updated',({status})=>status==='Ready'&&['checkout','anonymous'].forEach((name)=>statsig.getExperiment(name)));statsig.initializeAsync()"
  const tab = await open(world, '/', snippet(world.origin, { cdn: '/cdn/delay-3000' }), app(read), identity, tag())
  await brought(tab)
  await world.counted(tab, 'duplicate')
  await world.counted(tab, 'not-an-exposure')
  const exposures = await world.delivered(tab, 2)
  assert.deepEqual(exposures.map(({ properties }) => properties.experiment_id).sort(), ['anonymous', 'checkout'])
})

story('values the page brought itself go on where Statsig cannot be asked', async (world) => {
  const own = { ...answer({ userID: 'u1' }), user: { userID: 'u1' } }
  const tab = await open(world, '/', snippet(world.origin), app(`statsig.dataAdapter.setData(${js(JSON.stringify(own))});statsig.initializeSync()`, '{networkConfig:{preventAllNetworkTraffic:true},disableStableID:true}'), identity, tag())
  assert.equal(await brought(tab), await idAtSegment(tab))
  assert.equal(await tab.evaluate(() => window.statsig.getExperiment('checkout').groupName), 'Test')
})

story('a user the page sets later gets the id as well; a page that always takes it away is left alone', async (world) => {
  const asked = await statsigServer(world)
  const tab = await open(world, '/', snippet(world.origin), app(), identity, tag())
  await brought(tab)
  await tab.evaluate(() => window.statsig.updateUserAsync({ userID: 'u2', customIDs: { company: '7' } }))
  await brought(tab)
  const id = await idAtSegment(tab)
  assert.deepEqual(await tab.evaluate(() => { const { userID, customIDs } = window.statsig.getContext().user; return { userID, customIDs } }), { userID: 'u2', customIDs: { company: '7', segmentAnonymousId: id } })
  await tab.evaluate(() => {
    window.statsig.on('values_updated', ({ status }) => {
      if (status === 'Ready' && window.statsig.getContext().user.customIDs) window.statsig.updateUserSync({ userID: 'stubborn' }, { disableBackgroundCacheRefresh: true })
    })
    void window.statsig.updateUserAsync({ userID: 'stubborn' })
  })
  await until(() => asked.filter(({ userID }) => userID === 'stubborn').length >= 1, 'it was tried')
  await world.settle(tab)
  const tries = asked.length
  await world.settle(tab)
  assert.ok(tries < 30 && asked.length - tries < 10, 'no endless loop')
})

const statsig = { customIDs: { company: '7', shop: 12 }, custom: { plan: 'pro', beta: true }, environment: 'staging' }
const added = { statsigCustomIDs: ['company', '7', 'shop', '12'], statsigCustom: ['plan', 'pro', 'beta', true], statsigEnvironment: { tier: 'staging' } }
const only = ({ statsigCustomIDs, statsigCustom, statsigEnvironment }) => ({ statsigCustomIDs, statsigCustom, statsigEnvironment })

for (const [name, cdn] of [['analytics.js', '/cdn/delay-500'], ['analytics-next 1.67', '/cdn/old/delay-500'], ['ready', '/cdn']]) {
  story(`${name}: events carry what Statsig wants to know, those of the stub too`, async (world) => {
    const before = script("analytics.track('Before');analytics.page('Docs')")
    const tab = await open(world, '/', snippet(world.origin, { cdn }), name === 'ready' ? '' : before, init({ statsig }), name === 'ready' ? '' : tag(), push('trackDecision', decision()))
    if (name === 'ready') await late(tab)
    await until(() => tab.evaluate(() => window.decisionBridge.diagnose?.().state === 'running'), 'the bridge runs')
    await world.delivered(tab)
    await tab.evaluate(() => {
      window.analytics.track('After', { plan: 'x', statsigEnvironment: { tier: 'production' } })
      window.analytics.identify({ plan: 'pro' })
    })
    await world.settle(tab)
    const event = (wanted) => world.server.events.find((each) => each.event === wanted || each.type === wanted)
    if (name !== 'ready') {
      assert.deepEqual(only(event('Before').properties), added)
      assert.deepEqual(only(event('page').properties), added)
    }
    assert.deepEqual(only(event('Experiment Viewed').properties), added)
    assert.deepEqual(only(event('After').properties), { ...added, statsigEnvironment: { tier: 'production' } }, 'what the event says itself wins')
    assert.equal(event('After').properties.plan, 'x')
    assert.deepEqual(Object.keys(event('identify').traits), ['plan'])
  })
}

story('nothing goes either way without consent, nor after a refusal', async (world) => {
  const asked = await statsigServer(world)
  const tab = await open(world, '/', snippet(world.origin), app(), init({ requireConsent: true, statsig: { identity: true, ...statsig } }), tag())
  const track = (name) => tab.evaluate((name) => void window.analytics.track(name), name)
  const event = (name) => world.server.events.find((each) => each.event === name).properties
  await until(() => tab.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
  await track('before')
  await world.settle(tab)
  assert.equal(await idAtStatsig(tab), undefined)
  await tab.evaluate(() => window.decisionBridge.consent(true))
  await brought(tab)
  await tab.evaluate(() => window.decisionBridge.consent(false))
  await tab.evaluate(() => window.statsig.updateUserAsync({ userID: 'u2' }))
  await track('after')
  await world.settle(tab)
  assert.equal(await idAtStatsig(tab), undefined)
  assert.deepEqual([event('before'), event('after')], [{}, {}])
  assert.equal(asked.filter(({ customIDs }) => customIDs?.segmentAnonymousId).length, 1)
})
