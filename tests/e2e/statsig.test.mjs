// Statsig: the vendor's SDK, as its script and as an app bundles it, against a server of our own.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { story, until } from './harness.mjs'
import { html, init, js, script, snippet, tag } from './pages.mjs'

/** An app that brings the SDK along, with local overrides. */
const BUNDLE = buildSync({
  stdin: {
    contents: `import { StatsigClient } from '@statsig/js-client'
      import { LocalOverrideAdapter } from '@statsig/js-local-overrides'
      window.Statsig = { StatsigClient, LocalOverrideAdapter }`,
    resolveDir: fileURLToPath(new URL('..', import.meta.url)),
  },
  bundle: true, minify: true, format: 'iife', write: false,
}).outputFiles[0].text

const SCRIPT = '/packages/@statsig/js-client/build/statsig-js-client.min.js'

/** How the SDK hashes names. */
function hashed(name) {
  let hash = 0
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) | 0
  return String(hash >>> 0)
}

const experiment = (fields = {}) => ({
  value: { cta: 'Buy' }, rule_id: '4xTest', group: '4xTest', group_name: 'Test', id_type: 'userID', is_device_based: false,
  is_user_in_experiment: true, is_experiment_active: true, secondary_exposures: [], ...fields,
})

const EXPERIMENTS = {
  checkout_exp: experiment(),
  device_exp: experiment({ id_type: 'stableID', is_device_based: true }),
  prestart_exp: experiment({ rule_id: 'prestart', group_name: null, is_user_in_experiment: false, is_experiment_active: false }),
  elsewhere_exp: experiment({ rule_id: 'default', group_name: undefined, is_user_in_experiment: false }),
  banner: { value: { text: 'Hi' }, rule_id: 'cfg', group: 'cfg', is_device_based: false, secondary_exposures: [] },
}

const LAYERS = {
  button: experiment({
    value: { color: 'red', size: 3 }, rule_id: '5yRed', group_name: 'Red', allocated_experiment_name: 'color_exp',
    explicit_parameters: ['color'], undelegated_secondary_exposures: [],
  }),
}

const under = (entries, change = (entry) => entry) =>
  Object.fromEntries(Object.entries(entries).map(([name, entry]) => [hashed(name), change({ ...entry, name: hashed(name) })]))

/** What Statsig's server answers, in both versions of the format. */
const ANSWERS = {
  'init-v1': (user) => ({
    has_updates: true, time: 1760000000000, hash_used: 'djb2', user, dynamic_configs: under(EXPERIMENTS), layer_configs: under(LAYERS),
    feature_gates: under({ new_nav: { value: true, rule_id: '6gate', id_type: 'userID', secondary_exposures: [] } }),
  }),
  'init-v2': (user) => {
    const short = (entry) => ({ v: 'v', r: entry.rule_id, gn: entry.group_name, i: entry.id_type, ue: entry.is_user_in_experiment || undefined, ea: entry.is_experiment_active || undefined, ae: entry.allocated_experiment_name, ep: entry.explicit_parameters })
    return {
      response_format: 'init-v2', has_updates: true, time: 1760000000000, hash_used: 'djb2', user, exposures: {}, values: { v: { cta: 'Buy', color: 'red', size: 3 } },
      dynamic_configs: under(EXPERIMENTS, short), layer_configs: under(LAYERS, short), feature_gates: under({ new_nav: { v: true, r: '6gate', i: 'userID' } }),
    }
  },
}

/** Statsig's server. Says what was logged there, and in how many requests. */
async function statsigServer(world, format = 'init-v1') {
  const requests = []
  await world.context.route('**/statsig/v1/**', async (route) => {
    const request = route.request()
    const json = new URL(request.url()).pathname.endsWith('/initialize') ? ANSWERS[format](request.postDataJSON().user) : { success: true }
    if (json.success) requests.push(request.postDataJSON().events)
    await route.fulfill({ json })
  })
  return {
    requests: () => requests.length,
    logged: () => requests.flat().filter(({ eventName }) => eventName.startsWith('statsig::') && eventName !== 'statsig::diagnostics'),
    exposures: () => requests.flat().filter(({ eventName }) => eventName.endsWith('_exposure')).map(({ metadata, user }) => [user.userID, metadata.config ?? metadata.gate, metadata.ruleID].join()),
  }
}

/** Our script in front, so that it is there when the page attaches. */
const EARLY = '<script src="/dist/decision-bridge.js"></script>'

/** A page with a client of the SDK, which is ready when `code` runs. */
const page = (world, code, { options = {}, before = '', bundled = false, settings = {}, early = '', ours = early ? '' : tag() } = {}) =>
  html(
    snippet(world.origin), init(options), early, bundled ? script(BUNDLE) : `<script src="${SCRIPT}"></script>`,
    script(`const make=(more)=>new Statsig.StatsigClient('client-key',{userID:'user_123'},{logLevel:1,
        disableStatsigEncoding:true,disableCompression:true,networkConfig:{api:location.origin+'/statsig/v1'},...${js(settings)},...more})
      const begin=async()=>{window.client=make(${bundled ? "{overrideAdapter:window.overrides=new Statsig.LocalOverrideAdapter('client-key')}" : ''});${before};await client.initializeAsync();${code};window.done=true}`),
    ours,
  )

const begins = script('begin()')
const decided = (tab) => until(() => tab.evaluate(() => window.done), 'the page has decided')
const EXPECTED = { experiment_id: 'checkout_exp', experiment_name: 'checkout_exp', variation_id: '4xTest', variation_name: 'Test' }

/** The page after our script runs: what happens then is live. */
async function live(world, code, given = {}) {
  const tab = await world.open('/', page(world, code, given))
  await world.idle(tab)
  await tab.evaluate(() => begin())
  return tab
}

for (const bundled of [false, true]) {
  story(`an exposure is sent once, found by itself; the SDK ${bundled ? 'is bundled with the app' : 'came as a script'}`, async (world) => {
    const statsig = await statsigServer(world)
    const tab = await live(world, `window.times=[Date.now()];client.getExperiment('checkout_exp');client.getExperiment('checkout_exp');times.push(Date.now())`, { bundled })
    const [event] = await world.delivered(tab)
    assert.deepEqual(event.properties, EXPECTED)
    const [before, after] = await tab.evaluate(() => times)
    assert.ok(Date.parse(event.timestamp) >= before && Date.parse(event.timestamp) <= after)
    assert.deepEqual(statsig.exposures(), ['user_123,checkout_exp,4xTest'])
    await world.open('/', undefined, tab)
    await world.idle(tab)
    await tab.evaluate(() => begin())
    await world.counted(tab, 'duplicate')
    await world.delivered(tab)
  })
}

for (const format of ['init-v1', 'init-v2']) {
  story(`exposures before we came are recovered, with names, and without another one; ${format}`, async (world) => {
    const statsig = await statsigServer(world, format)
    const code = `client.getExperiment('checkout_exp');client.getLayer('button').get('color');decisionBridge.attach('statsig')`
    const tab = await world.open('/', page(world, code, { options: { sources: [] }, early: EARLY, ours: begins }))
    await decided(tab)
    const events = await world.delivered(tab, 2)
    assert.deepEqual(events[0].properties, EXPECTED)
    assert.deepEqual(events[1].properties, { experiment_id: 'color_exp', experiment_name: 'color_exp', variation_id: '5yRed', variation_name: 'Red', layer_name: 'button' })
    assert.deepEqual(statsig.exposures(), ['user_123,checkout_exp,4xTest', 'user_123,button,5yRed'])
    assert.equal(statsig.logged().length, 2, 'nothing else is logged for us')
  })
}

story('an exposure made before we came, pushed to us with its client, is recovered too', async (world) => {
  await statsigServer(world)
  const tab = await world.open('/', page(world, `client.getExperiment('checkout_exp');decisionBridge.push(['attach','statsig',client])`, { options: { sources: [] }, early: EARLY, ours: begins }))
  assert.deepEqual((await world.delivered(tab))[0].properties, EXPECTED)
})

story('evaluations that are no exposures are none, and say why', async (world) => {
  const statsig = await statsigServer(world)
  const tab = await live(
    world,
    `for(const name of ['prestart_exp','elsewhere_exp','gone_exp'])client.getExperiment(name);client.getExperiment('checkout_exp',{disableExposureLog:true});client.getDynamicConfig('banner');client.getLayer('button').get('size');client.checkGate('new_nav');await client.flush()`,
    { before: `client.getExperiment('checkout_exp')` },
  )
  await world.delivered(tab, 0)
  const { decisions, counts } = await world.diagnose(tab)
  assert.deepEqual(Object.fromEntries(decisions.map(({ experimentKey, reason }) => [experimentKey, reason])), {
    checkout_exp: 'Statsig had no value: Uninitialized',
    prestart_exp: 'the experiment does not run',
    elsewhere_exp: 'the user is not in the experiment',
    gone_exp: 'Statsig had no value: Network:Unrecognized',
    undefined: 'the parameter is in no experiment',
  })
  assert.equal(counts['not-an-exposure'], 5)
  assert.equal(statsig.exposures().length, 7)
})

story('a value that came too early does not stand in the way of the real exposure', async (world) => {
  await statsigServer(world)
  const tab = await live(world, `client.getExperiment('checkout_exp')`, { before: `client.getExperiment('checkout_exp');client.initializeAsync();client.getExperiment('checkout_exp')` })
  assert.deepEqual((await world.delivered(tab))[0].properties, EXPECTED)
})

story('the parameters of a layer are one exposure of its experiment', async (world) => {
  const statsig = await statsigServer(world)
  const tab = await live(world, `const layer=client.getLayer('button');layer.get('color');layer.get('color');layer.get('size');await client.flush()`)
  const [{ properties }] = await world.delivered(tab)
  assert.deepEqual(properties, { experiment_id: 'color_exp', experiment_name: 'color_exp', variation_id: '5yRed', variation_name: 'Red', layer_name: 'button' })
  assert.equal(statsig.exposures().length, 2)
})

story('gates are sent when the page asks for them', async (world) => {
  await statsigServer(world)
  const tab = await live(world, `client.checkGate('new_nav')`, { options: { sourceOptions: { statsig: { gates: true } } } })
  const [{ properties }] = await world.delivered(tab)
  assert.deepEqual(properties, { experiment_id: 'new_nav', experiment_name: 'new_nav', variation_id: 'true', variation_name: 'true', rule_id: '6gate' })
})

story('local overrides are QA: marked, or dropped', async (world) => {
  await statsigServer(world)
  const code = `overrides.overrideExperiment('checkout_exp',{cta:'Forced'});client.getExperiment('checkout_exp')`
  const tab = await live(world, code, { bundled: true })
  const [{ properties }] = await world.delivered(tab)
  assert.equal(properties.is_qa, true)
  const dropped = await live(world, code, { bundled: true, options: { qa: 'drop', dedupe: 'page' } })
  await world.counted(dropped, 'qa')
  await world.delivered(dropped)
  const { decisions } = await world.diagnose(dropped)
  assert.match(decisions[0].reason, /LocalOverride/)
})

story('another user is another exposure, the same one again is a duplicate', async (world) => {
  const statsig = await statsigServer(world)
  const tab = await live(world, `client.getExperiment('checkout_exp');await client.updateUserAsync({userID:'user_123'});client.getExperiment('checkout_exp')
    await client.updateUserAsync({userID:'user_2'});client.getExperiment('checkout_exp');client.updateUserSync({userID:'user_3'})`)
  await world.counted(tab, 'duplicate')
  const events = await world.delivered(tab, 2)
  assert.deepEqual(events.map(({ properties }) => properties), [EXPECTED, EXPECTED])
  assert.deepEqual(statsig.exposures(), ['user_123,checkout_exp,4xTest', 'user_123,checkout_exp,4xTest', 'user_2,checkout_exp,4xTest'])
  const { decisions } = await world.diagnose(tab)
  assert.deepEqual(decisions.map(({ userId, verdict }) => `${userId} ${verdict}`), ['user_123 delivered', 'user_123 duplicate', 'user_2 delivered'])
})

story('an experiment of devices is about the stable id', async (world) => {
  await statsigServer(world)
  const tab = await live(world, `client.getExperiment('device_exp')`)
  await world.delivered(tab)
  const { decisions } = await world.diagnose(tab)
  assert.equal(decisions[0].userId, await tab.evaluate(() => client.getContextHandle().stableID))
})

story('detached, the SDK is as it was, and nothing more is told', async (world) => {
  const statsig = await statsigServer(world)
  const tab = await live(world, '', { bundled: true, options: { sources: [] } })
  const listeners = () => tab.evaluate(() => Object.values(client._listeners).flat().length)
  const before = await listeners()
  await tab.evaluate(() => { window.detach = decisionBridge.attach('statsig'); client.getExperiment('checkout_exp') })
  assert.ok((await listeners()) > before)
  await world.delivered(tab)
  await tab.evaluate(() => { detach(); detach() })
  assert.equal(await listeners(), before)
  await tab.evaluate(async () => { client.getExperiment('device_exp'); await client.flush() })
  await until(() => statsig.exposures().length === 2, 'Statsig is told')
  await world.delivered(tab)
  assert.equal((await world.diagnose(tab)).decisions.length, 1)
})

story('detached, a client that was found by itself stays detached', async (world) => {
  await statsigServer(world)
  const tab = await live(world, '')
  await tab.evaluate(() => { decisionBridge.attach('statsig', client)(); decisionBridge.flush(); client.getExperiment('checkout_exp') })
  await tab.evaluate(async () => { await client.flush() })
  await world.delivered(tab, 0)
})

story('a second client of the page is found too', async (world) => {
  await statsigServer(world)
  const tab = await live(world, `client.getExperiment('checkout_exp')`)
  await world.delivered(tab)
  await tab.evaluate(async () => {
    const other = new Statsig.StatsigClient('other-key', { userID: 'user_2' }, { networkConfig: { api: location.origin + '/statsig/v1' }, disableStatsigEncoding: true, disableCompression: true })
    await other.initializeAsync()
    other.getExperiment('checkout_exp')
  })
  await world.delivered(tab, 2)
})

story('Statsig logs the same with us and without us, and is not flooded with requests', async (world) => {
  const statsig = await statsigServer(world)
  const code = `let round=0;await new Promise((done)=>{(function again(){client.getExperiment('checkout_exp');client.getExperiment('device_exp',{disableExposureLog:true});if(++round<120)requestAnimationFrame(again);else done()})()});await client.flush()`
  const settings = { disableEvaluationMemoization: true }
  const counted = async (ours) => {
    const before = { exposures: statsig.exposures().length, requests: statsig.requests() }
    const tab = await world.open('/', page(world, code, { settings, ours: ours + begins }))
    await decided(tab)
    await until(() => statsig.exposures().length > before.exposures, 'the exposure is logged')
    return { exposures: statsig.exposures().slice(before.exposures), requests: statsig.requests() - before.requests }
  }
  const without = await counted('')
  const together = await counted(tag())
  assert.deepEqual(together.exposures, without.exposures)
  assert.ok(together.requests <= without.requests + 8, `${together.requests} requests instead of ${without.requests}`)
})

story('what Statsig cannot send it flushes again, and we tell it once', async (world) => {
  await statsigServer(world)
  let offline = true
  await world.context.route('**/statsig/v1/rgstr*', (route) => (offline ? route.fulfill({ status: 503 }) : route.fallback()))
  const tab = await live(world, `window.flushes=0;client.on('pre_logs_flushed',()=>flushes++);client.getExperiment('checkout_exp');void client.flush()`)
  await world.delivered(tab)
  await until(() => tab.evaluate(async () => { await client.flush(); return flushes > 1 }), 'it is flushed again')
  offline = false
  await tab.evaluate(() => client.flush())
  await world.delivered(tab)
  assert.equal((await world.diagnose(tab)).decisions.length, 1)
})

story('where Statsig may not log, nothing is told until it may', async (world) => {
  await statsigServer(world)
  const tab = await live(world, `client.getExperiment('checkout_exp');await client.flush()`, { settings: { loggingEnabled: 'disabled' } })
  await world.delivered(tab, 0)
  await tab.evaluate(() => client.updateRuntimeOptions({ loggingEnabled: 'browser-only' }))
  assert.deepEqual((await world.delivered(tab))[0].properties, EXPECTED)
})
