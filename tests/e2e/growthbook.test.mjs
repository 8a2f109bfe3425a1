// GrowthBook: its tracking callback is shared, its results are replayed; with the real SDK.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { html, init, js, script, snippet, tag } from './pages.mjs'

const BUNDLES = '/packages/@growthbook/growthbook/dist/bundles'
const SDK = `<script src="${BUNDLES}/index.min.js"></script>`
const OURS = '<script src="/dist/decision-bridge.js"></script>'
const PAYLOAD = {
  features: {
    checkout_redesign: {
      defaultValue: 'off',
      rules: [{
        key: 'checkout_exp', name: 'Checkout redesign', variations: ['off', 'on'], weights: [0.5, 0.5], coverage: 1, hashAttribute: 'id',
        meta: [{ key: '0', name: 'Control' }, { key: '1', name: 'Variation A' }],
      }],
    },
  },
}
const EXPERIMENT = { experiment_id: 'checkout_exp', experiment_name: 'Checkout redesign', flag_key: 'checkout_redesign' }
const CONTROL = { ...EXPERIMENT, variation_id: '0', variation_name: 'Control' }
const VARIATION = { ...EXPERIMENT, variation_id: '1', variation_name: 'Variation A' }

/** An instance in `gb`, without developer mode as in production, and what the page does to see a feature. */
const instance = (options = {}) => script(`
  window.calls=[];
  window.track=(experiment,result)=>{calls.push(experiment.key+' '+result.key+' '+result.hashValue)};
  window.gb=new growthbook.GrowthBook(Object.assign({attributes:{id:'user_123'}},${js(options)})).initSync({payload:${js(PAYLOAD)}});
  window.see=(id)=>{if(id)gb.setAttributes({id});return gb.getFeatureValue('checkout_redesign','none')};`)
const attach = script(`window.detach=decisionBridge.attach('growthbook',gb)`)
/** Segment, us, GrowthBook, in an order in which we hear everything; only what is attached is heard. */
const live = (world, ...parts) => html(snippet(world.origin), init({ sources: [] }), OURS, SDK, ...parts)
const seen = (events) => events.map((event) => `${event.properties.variation_id}`)
const calls = (tab) => tab.evaluate(() => window.calls)

story('a live decision is sent once, with names, and the page’s own callback gets it as ever', async (world) => {
  const page = live(world, instance({ trackingCallback: (experiment, result) => window.track(experiment, result) }), attach, script('see();see();see()'))
  const tab = await world.open('/', page)
  const [event] = await world.delivered(tab)
  assert.deepEqual(event.properties, VARIATION)
  assert.deepEqual(await calls(tab), ['checkout_exp 1 user_123'])
  await world.open('/', undefined, tab)
  await world.counted(tab, 'duplicate')
  await world.delivered(tab)
})

story('users change: each one’s decision is sent, the same variation twice included', async (world) => {
  // 124 is in the control group, the others are not.
  const tab = await world.open('/', live(world, instance(), attach, script(`for(const id of ['user_123','user_124','user_126','user_124'])see(id)`)))
  const events = await world.delivered(tab, 3)
  // Three requests of analytics.js may overtake each other.
  assert.deepEqual(seen(events).sort(), ['0', '1', '1'])
  const { decisions } = await world.diagnose(tab)
  assert.deepEqual(decisions.filter(({ verdict }) => verdict === 'delivered').map(({ variationKey }) => variationKey), ['1', '0', '1'], 'the order in which they were made')
})

story('made before attach, in production: the last visitor’s decision arrives', async (world) => {
  const page = live(world, instance({ trackingCallback: (experiment, result) => window.track(experiment, result) }), script(`see('user_124');see('user_123')`), attach)
  const tab = await world.open('/', page)
  const [event] = await world.delivered(tab)
  assert.deepEqual(event.properties, VARIATION)
  assert.deepEqual(await calls(tab), ['checkout_exp 0 user_124', 'checkout_exp 1 user_123'], 'the page’s callback is not called again')
})

story('made before attach, without a callback: every visitor’s decision arrives, and waits for the page’s callback too', async (world) => {
  const tab = await world.open('/', live(world, instance(), script(`see('user_124');see('user_123')`), attach, script(`see('user_126')`)))
  await world.delivered(tab, 3)
  await tab.evaluate(() => window.gb.setTrackingCallback(window.track))
  assert.deepEqual(await calls(tab), ['checkout_exp 0 user_124', 'checkout_exp 1 user_123', 'checkout_exp 1 user_126'])
  await world.delivered(tab, 3)
})

story('made before attach, in developer mode: every visitor’s decision arrives, with its time', async (world) => {
  const page = live(world, instance({ enableDevMode: true, trackingCallback: (experiment, result) => window.track(experiment, result) }), script(`see('user_124');see('user_123');see('user_124')`))
  const tab = await world.open('/', page)
  const at = await tab.evaluate(() => window.gb.logs.filter((log) => log.logType === 'experiment').map((log) => Number(log.timestamp)))
  await until(() => Date.now() > at[1] + 50, 'it is later')
  await tab.evaluate(() => void window.decisionBridge.attach('growthbook'))
  const events = await world.delivered(tab, 2)
  assert.deepEqual(seen(events), ['0', '1'])
  assert.deepEqual(events.map((event) => Date.parse(event.timestamp)), at)
})

story('a forced variation is no exposure, by the address or by GrowthBook’s own option; the report says so', async (world) => {
  for (const [path, options, order] of [
    ['/?checkout_exp=0', {}, [attach, script('see()')]],
    ['/?checkout_exp=0', {}, [script('see()'), attach]],
    ['/', { forcedVariations: { checkout_exp: 0 } }, [attach, script('see()')]],
  ]) {
    const visitor = await world.visitor()
    const tab = await visitor.open(path, live(world, instance(options), ...order))
    await visitor.counted(tab, 'preview')
    await visitor.delivered(tab, 0)
    const [decision] = (await visitor.diagnose(tab)).decisions
    assert.equal(decision.reason, 'forced in GrowthBook')
  }
})

story('in QA mode nobody is in the experiment', async (world) => {
  const tab = await world.open('/', live(world, instance({ qaMode: true }), script('see()'), attach, script('see()')))
  await world.delivered(tab, 0)
  assert.deepEqual((await world.diagnose(tab)).decisions, [])
})

story('a callback that the page sets later, twice, and one wrapped around ours: each is called once for each decision, and so are we', async (world) => {
  const page = live(world, instance(), attach, script(`
    gb.setTrackingCallback(()=>calls.push('first'));
    see('user_123');
    gb.setTrackingCallback(()=>calls.push('second'));
    see('user_124');
    const ours=gb.context.trackingCallback;
    gb.context.trackingCallback=(...all)=>{calls.push('wrapped');return ours&&ours(...all)};
    see('user_126')`))
  const tab = await world.open('/', page)
  await world.delivered(tab, 3)
  assert.deepEqual(await calls(tab), ['first', 'second', 'wrapped', 'second'])
  const { counts } = await world.diagnose(tab)
  assert.deepEqual([counts.delivered, counts.duplicate], [3, 0])
})

story('a page whose callback throws or rejects harms nobody', async (world) => {
  const page = live(world, instance(), attach, script(`
    gb.context.trackingCallback=()=>{throw new Error('theirs')};see('user_123');
    gb.context.trackingCallback=()=>Promise.reject(new Error('theirs'));see('user_124')`))
  const tab = await world.open('/', page)
  await world.delivered(tab, 2)
})

for (const [title, options, before] of [
  ['with a callback', { trackingCallback: (experiment, result) => window.track(experiment, result) }, true],
  ['without one', {}, false],
]) {
  story(`detached, GrowthBook is as it was, ${title}`, async (world) => {
    const was = script(`const look=()=>JSON.stringify([Object.getOwnPropertyDescriptor(gb.context,'trackingCallback')],(key,value)=>typeof value==='function'?String(value):value);window.was=look();window.is=look`)
    const tab = await world.open('/', live(world, instance(options), was, attach, script(`see('user_124');detach();see('user_123')`)))
    const [event] = await world.delivered(tab)
    assert.equal(event.properties.variation_id, '0')
    assert.equal(await tab.evaluate(() => window.is()), await tab.evaluate(() => window.was))
    if (before) assert.deepEqual(await calls(tab), ['checkout_exp 0 user_124', 'checkout_exp 1 user_123'])
    else assert.equal(await tab.evaluate(() => window.gb.getDeferredTrackingCalls().length), 2)
    await tab.evaluate(() => (window.detach = window.decisionBridge.attach('growthbook', window.gb)))
    await world.delivered(tab, 2)
  })
}

const scriptTag = (attributes = 'data-tracking="none"') =>
  script(`window.growthbook_config={payload:${js(PAYLOAD)},attributes:{id:'user_123'},noStreaming:true}`) + `<script src="${BUNDLES}/auto.min.js" ${attributes}></script>`
const see = script(`window._growthbook.getFeatureValue('checkout_redesign','none')`)

for (const [title, page] of [
  ['after us', (world) => html(snippet(world.origin), init(), OURS, scriptTag(), see)],
  ['before us', (world) => html(snippet(world.origin), scriptTag(), see, init(), tag())],
  ['after us, without developer mode, by its queue', (world) => html(snippet(world.origin), init({ sources: ['growthbook'] }), OURS,
    script(`window.growthbook_queue=[(gb)=>window.gb=gb]`), scriptTag('data-tracking="none"').replace('noStreaming', 'enableDevMode:false,noStreaming'),
    script(`gb.getFeatureValue('checkout_redesign','none')`))],
  ['long after us', (world) => html(snippet(world.origin), init(), OURS, script(`(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);
    const all=document.createElement('template');all.innerHTML=${js(scriptTag())};
    for(const each of all.content.querySelectorAll('script')){const real=document.createElement('script');for(const {name,value} of each.attributes)real.setAttribute(name,value);real.text=each.text;
      real.onload=()=>window._growthbook.getFeatureValue('checkout_redesign','none');document.body.append(real)}})()`))],
]) {
  story(`GrowthBook’s script tag is found without a word: ${title}`, async (world) => {
    const tab = await world.open('/', page(world))
    const [{ properties }] = await world.delivered(tab)
    // The script tag draws an id of its own for the visitor.
    assert.deepEqual(properties, properties.variation_id === '1' ? VARIATION : CONTROL)
    assert.deepEqual((await world.diagnose(tab)).sources.map((source) => source.name), ['growthbook'])
  })
}

story('who sends to Segment by himself counts each exposure twice, and the report says so: GrowthBook’s own tracker, the page’s callback', async (world) => {
  const own = instance({ trackingCallback: (experiment, result) => window.analytics.track('Experiment Viewed', { experimentId: experiment.key, variationId: result.key }) })
  for (const [parts, sent, warned] of [
    [[scriptTag(''), see], 2, true],
    [[scriptTag('data-tracking="gtm,segment"'), see], 2, true],
    [[scriptTag('data-tracking="gtm"'), see], 1, false],
    [[SDK, own, attach, script('see()')], 2, true],
  ]) {
    const visitor = await world.visitor()
    world.server.events.length = 0
    const tab = await visitor.open('/', html(snippet(world.origin), init(), OURS, ...parts))
    await visitor.delivered(tab, sent)
    const { warnings } = await visitor.diagnose(tab)
    assert.equal(warnings.some(({ message }) => /counts twice/.test(message)), warned)
  }
})

const REDIRECT = {
  features: {},
  experiments: [{
    key: 'landing', name: 'Landing page', status: 'running', manual: false, changeId: 'c1', urlPatterns: [{ type: 'simple', include: true, pattern: '/shop' }],
    variations: [{}, { urlRedirect: '/landing' }], weights: [0, 1], coverage: 1, hashAttribute: 'id', meta: [{ key: '0', name: 'As it was' }, { key: '1', name: 'New' }],
  }],
}
/** GrowthBook redirects /shop to /landing, by itself, with a callback that answers at once. */
const redirecting = (world, ours, options = {}, analytics = snippet(world.origin)) => html(analytics, init(options), ours, SDK, script(`
  const payload=${js(REDIRECT)};payload.experiments[0].variations[1].urlRedirect=location.origin+'/landing';
  window.gb=new growthbook.GrowthBook({attributes:{id:'user_123'},navigateDelay:0,trackingCallback(){}});
  decisionBridge.push(['attach','growthbook',gb]);
  gb.initSync({payload})`))

// Neither GrowthBook's patience nor ours may end the wait.
const PATIENT = script('{const set=setTimeout;window.setTimeout=(body,ms,...rest)=>ms===1000?0:set(body,ms,...rest)}')

story('a redirect waits until the decision is out', async (world) => {
  world.server.pages.set('/landing', '<!doctype html><title>Landed</title>')
  const tab = await world.open('/shop', redirecting(world, OURS, {}, PATIENT + snippet(world.origin, { cdn: '/cdn/hang' })))
  await until(() => tab.evaluate(() => window.decisionBridge.diagnose().decisions[0]?.steps.length > 1), 'the decision waits for analytics')
  assert.equal(new URL(tab.url()).pathname, '/shop')
  world.server.release()
  await tab.waitForURL('**/landing')
  const events = world.exposures()
  assert.deepEqual(events.map((event) => event.properties), [{ experiment_id: 'landing', experiment_name: 'Landing page', variation_id: '1', variation_name: 'New' }])
})

story('a decision that is held for consent does not hold up the redirect', async (world) => {
  world.server.pages.set('/landing', '<!doctype html><title>Landed</title>')
  const tab = await world.open('/shop', redirecting(world, OURS, { requireConsent: true }, PATIENT + snippet(world.origin)))
  await tab.waitForURL('**/landing')
  assert.equal(world.exposures().length, 0)
})

story('without analytics a redirect goes on all the same, and the decision is sent where analytics are', async (world) => {
  world.server.pages.set('/landing', html(snippet(world.origin), init(), tag()))
  const tab = await world.open('/shop', redirecting(world, OURS, {}, ''))
  await tab.waitForURL('**/landing')
  const [event] = await world.delivered(tab)
  assert.equal(event.properties.experiment_id, 'landing')
})

story('what is no GrowthBook instance is a mistake that is named', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), OURS, script(`decisionBridge.attach('growthbook',{})`)))
  await until(() => world.ours('error').length > 0, 'the mistake is told')
  assert.match(world.ours('error')[0].text, /attach `argument 2` is an object, must be a GrowthBook instance/)
}, { errors: true })
