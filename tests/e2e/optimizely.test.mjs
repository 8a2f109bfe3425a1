// Optimizely Web: the analytics callback, the events and the state, in the shapes they come in.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import {
  VISITOR, abTest, html, init, integration, layerDecision, optimizely, optimizelyConfig, personalization, push, script, snippet, tag,
} from './pages.mjs'

const EXPECTED = {
  experimentId: '9101', experimentName: 'Shorter form', variationId: '9201', variationName: 'Original',
  campaignId: '9001', campaignName: 'Checkout', isHoldback: false,
}

/** The two entrances, alone and together. */
const ENTRANCES = {
  'the analytics callback': () => ({ options: { sources: [] }, config: { integration: integration() } }),
  'the events': () => ({ options: {}, config: {} }),
  'both at once': () => ({ options: {}, config: { integration: integration() } }),
}

/** Our tag in front, so that it listens; then Optimizely decides. */
const early = (world, options, config) =>
  html(snippet(world.origin), init(options), '<script src="/dist/decision-bridge.js"></script>', script('window.optimizely=window.optimizely||[]'), optimizelyConfig(config), late)

// Optimizely's client only after our module runs: else its decisions would be replayed, not heard.
const late = script(`(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);
  const client=document.createElement('script');client.src='/demo/optimizely-stand-in.js';document.head.append(client)})()`)

/** Optimizely first, as its documentation asks; ours, asynchronous, after it. */
const replayed = (world, options, config) => html(optimizely(config), snippet(world.origin), init(options), tag())

const decided = (page) => until(() => page.evaluate(() => window.optimizelyStandIn?.log?.some((line) => line.step === 'campaignDecided')), 'Optimizely has decided')

async function unchanged(page) {
  assert.deepEqual(await page.evaluate(() => window.optimizelyStandIn.changed()), [], 'Optimizely’s own objects are as they were')
  const errors = await page.evaluate(() => window.optimizelyStandIn.log.filter((line) => line.step === 'error'))
  assert.deepEqual(errors, [], 'nothing was thrown into Optimizely')
}

for (const [entrance, of] of Object.entries(ENTRANCES)) {
  for (const [order, page] of [['we are there first', early], ['it decides before we load', replayed]]) {
    story(`a decision through ${entrance}; ${order}`, async (world) => {
      const { options, config } = of()
      const tab = await world.open('/', page(world, options, { campaigns: [abTest()], ...config }))
      await decided(tab)
      const [event] = await world.delivered(tab)
      assert.deepEqual(event.properties, EXPECTED)
      const age = event.receivedAt - Date.parse(event.timestamp)
      assert.ok(age >= 0 && age < 60_000)
      await unchanged(tab)
      await world.open('/', undefined, tab)
      await decided(tab)
      await world.delivered(tab)
    })
  }
}

story('the entrances make the same event: one messageId for one visitor', async (world) => {
  const ids = []
  for (const [order, page] of [['early', early], ['replayed', replayed]]) {
    for (const of of Object.values(ENTRANCES)) {
      const visitor = await world.visitor()
      const { options, config } = of()
      const tab = await visitor.open(`/${order}`, page(world, { ...options, dedupe: 'visitor' }, { campaigns: [abTest()], ...config }))
      await until(() => world.sent().length > ids.length, 'the exposure arrives')
      await visitor.settle(tab)
      ids.push(world.sent().at(-1).messageId)
    }
  }
  assert.equal(ids.length, 6)
  assert.equal(new Set(ids).size, 1, ids.join())
})

story('the integration is a container Optimizely accepts, with a field for the event name', async (world) => {
  const container = JSON.parse(integration())
  assert.equal(container.plugin_type, 'analytics_integration')
  for (const field of ['name', 'description']) assert.equal(typeof container[field], 'string')
  assert.ok(container.form_schema.length >= 1)
  for (const field of container.form_schema) {
    assert.ok(field.name && field.label && field.field_type && 'default_value' in field, JSON.stringify(field))
  }
  const config = { campaigns: [abTest()], integration: integration(), extension: { [container.form_schema[0].name]: 'Test Seen' } }
  const tab = await world.open('/', early(world, {}, config))
  await world.delivered(tab, 1, { name: 'Test Seen' })
  assert.equal(world.sent().length, 0, 'not under the default name as well')
})

story('the integration works in the scope the published guide describes: bare state, numbers, no decisionData', async (world) => {
  for (const page of [early, replayed]) {
    const visitor = await world.visitor()
    world.server.events.length = 0
    const tab = await visitor.open('/', page(world, { sources: [] }, { campaigns: [abTest()], integration: integration(), scope: 'guide' }))
    const [event] = await visitor.delivered(tab)
    assert.deepEqual(event.properties, EXPECTED)
    await unchanged(tab)
  }
})

for (const [shape, object] of [
  ['objects', `{experiment:{id:'22',name:'The test'},variation:{id:'33',name:'The way'}}`],
  ['flat strings', `{experiment:'The test (22)',variation:'The way (33)'}`],
  ['flat strings with brackets in the name', `{experiment:'The (old) test (22)',variation:'The way (33)'}`],
  ['flat strings of cut names', `{experiment:'The tes(22)',variation:'(33)'}`],
  ['another experiment’s decision', `{experiment:'Not it (99)',variation:'Nor this (98)'}`],
  ['null', 'null'],
  ['a getter that throws', `{get experiment(){throw new Error('no')},get variation(){throw new Error('no')}}`],
]) {
  story(`names from a decision object of ${shape}`, async (world) => {
    const call = script(`decisionBridge.push(['trackLayerDecision',{campaignId:'11',experimentId:'22',variationId:'33',isHoldback:false,state:{getDecisionObject(config){if(!config.campaignId)throw new Error('no config');return ${object}}}}])`)
    const tab = await world.open('/', html(snippet(world.origin), init(), call, tag()))
    const [{ properties }] = await world.delivered(tab)
    const names = {
      objects: ['The test', 'The way'],
      'flat strings': ['The test', 'The way'],
      'flat strings with brackets in the name': ['The (old) test', 'The way'],
      'flat strings of cut names': ['The tes', '33'],
    }[shape] ?? ['22', '33']
    assert.deepEqual([properties.experimentName, properties.variationName], names)
    assert.deepEqual([properties.experimentId, properties.variationId], ['22', '33'])
  })
}

story('names come from the callback first, then the decision object, then the state', async (world) => {
  const state = `{getDecisionObject:()=>({experiment:'object (22)',variation:'object (33)'}),getCampaignStates:()=>({'11':{id:'11',campaignName:'state',experiment:{id:'22',name:'state'},variation:{id:'33',name:'state'},audiences:[]}})}`
  const call = (fields) => script(`decisionBridge.push(['trackLayerDecision',Object.assign({campaignId:'11',experimentId:'22',variationId:'33',isHoldback:false},${fields})])`)
  const tab = await world.open('/', html(snippet(world.origin), init({ dedupe: 'none' }), call(`{state:${state},decisionData:{experimentName:'callback',variationName:null},campaign:{id:'11',name:'callback'}}`), tag()))
  const [{ properties }] = await world.delivered(tab)
  assert.deepEqual([properties.campaignName, properties.experimentName, properties.variationName], ['callback', 'callback', 'object'])
})

for (const [entrance, of] of Object.entries(ENTRANCES)) {
  const quiet = (name, verdict, config) =>
    story(`${name}, through ${entrance}: nothing is sent`, async (world) => {
      const { options, config: more } = of()
      const tab = await world.open('/', early(world, options, { ...config, ...more }))
      await decided(tab)
      await until(async () => (await world.diagnose(tab)).counts?.[verdict] > 0, `the verdict is ${verdict}`)
      await world.delivered(tab, 0)
      await unchanged(tab)
    })
  quiet('a visitor who does not qualify', 'not-an-exposure', { campaigns: [abTest()], decide: () => ({ variationId: null }) })
  quiet('an A/B holdback', 'holdback', { campaigns: [abTest()], decide: () => ({ variationId: '9201', holdback: true }) })
  quiet('a concluded campaign', 'not-an-exposure', { campaigns: [abTest({ concluded: true })] })

  story(`a personalization's holdback, through ${entrance}: sent, and marked`, async (world) => {
    const { options, config } = of()
    const tab = await world.open('/', early(world, options, { campaigns: [personalization()], decide: () => ({ variationId: '8202', holdback: true }), ...config }))
    const [event] = await world.delivered(tab)
    assert.equal(event.properties.isHoldback, true)
    assert.deepEqual([event.properties.experimentId, event.properties.experimentName, event.properties.variationName], ['8102', 'For the known', 'Welcome back'])
    assert.deepEqual([event.properties.audienceId, event.properties.audienceName], ['71', 'Returning'])
  })

  story(`names masked in Optimizely, through ${entrance}: ids stand for them, and the report warns`, async (world) => {
    const { options, config } = of()
    const tab = await world.open('/', early(world, options, { campaigns: [abTest(), personalization()], maskNames: true, ...config }))
    const events = await world.delivered(tab, 2)
    for (const { properties } of events) {
      assert.equal(properties.experimentName, properties.experimentId)
      assert.equal(properties.variationName, properties.variationId)
      assert.equal(properties.campaignName, properties.campaignId)
    }
    assert.ok((await world.diagnose(tab)).warnings.some(({ message }) => /name/.test(message)))
  })

  story(`a campaign on two pages that activate together, through ${entrance}: one event`, async (world) => {
    const { options, config } = of()
    const pages = [{ id: '1', apiName: 'all' }, { id: '2', apiName: 'shop' }]
    const tab = await world.open('/', early(world, options, { campaigns: [abTest({ pageIds: ['1', '2'] })], pages, ...config }))
    await world.delivered(tab)
    if (config.integration) {
      const calls = await tab.evaluate(() => window.optimizelyStandIn.log.filter((line) => line.step === 'trackLayerDecision').length)
      assert.equal(calls, 2, 'the stand-in did call twice')
    }
  })

  story(`a single-page application that is decided anew, through ${entrance}: only changes are told`, async (world) => {
    const { options, config } = of()
    const spa = { campaigns: [abTest()], pages: [{ id: '1', apiName: 'view', trigger: 'urlChange' }], decide: () => ({ variationId: window.bucket ?? '9201' }), ...config }
    const tab = await world.open('/', early(world, options, spa))
    await world.delivered(tab)
    const go = (path, bucket) => tab.evaluate(([path, bucket]) => {
      window.bucket = bucket
      history.pushState({}, '', path)
    }, [path, bucket])
    await go('/two', '9201')
    await world.delivered(tab)
    await go('/three', '9202')
    await world.delivered(tab, 2)
    await go('/four', '9201')
    await world.delivered(tab, 3)
    assert.equal(new Set(world.sent().map((event) => event.messageId)).size, 3)
    await unchanged(tab)
  })
}

story('an A/B holdback that was decided before we came is not replayed', async (world) => {
  const tab = await world.open('/', replayed(world, {}, { campaigns: [abTest(), personalization()], decide: (campaign) => ({ variationId: campaign.experiments[0].variations[0].id, holdback: true }) }))
  const [event] = await world.delivered(tab)
  assert.deepEqual([event.properties.campaignId, event.properties.isHoldback], ['8001', true])
  await world.counted(tab, 'holdback')
})

story('what earlier pages decided is in the state, and is not told again as of this page', async (world) => {
  const config = { campaigns: [abTest()], pages: [{ id: '1', apiName: 'first', path: '^/first' }] }
  const tab = await world.open('/first', html(optimizely(config)))
  await world.open('/second', replayed(world, {}, config), tab)
  await world.delivered(tab, 0)
})

for (const [holdback, count] of [['send', 1], ['drop', 0]]) {
  story(`the option holdback: "${holdback}" holds for every kind`, async (world) => {
    const decide = (campaign) => ({ variationId: campaign.experiments[0].variations[0].id, holdback: true })
    const tab = await world.open('/', early(world, { holdback }, { campaigns: [abTest(), personalization()], decide, integration: integration() }))
    await decided(tab)
    const events = await world.delivered(tab, 2 * count)
    for (const event of events) assert.equal(event.properties.isHoldback, true)
  })
}

story('two campaigns are two events, each with its own names', async (world) => {
  const tab = await world.open('/', early(world, {}, { campaigns: [abTest(), personalization()], decide: (campaign) => ({ variationId: campaign.id === '8001' ? '8202' : '9202' }), integration: integration() }))
  const events = await world.delivered(tab, 2)
  const names = events.map(({ properties }) => [properties.campaignName, properties.experimentName, properties.variationName]).sort()
  assert.deepEqual(names, [['Checkout', 'Shorter form', 'Three fields'], ['Greeting', 'For the known', 'Welcome back']])
})

story('a build of the client that answers nothing but `state`', async (world) => {
  for (const page of [early, replayed]) {
    const visitor = await world.visitor()
    world.server.events.length = 0
    const tab = await visitor.open('/', page(world, {}, { campaigns: [abTest()], answers: ['state'] }))
    const [event] = await visitor.delivered(tab)
    assert.deepEqual(event.properties, EXPECTED)
  }
})

for (const [name, options] of [['found by itself', {}], ['named as a source', { sources: ['optimizelyWeb'] }]]) {
  story(`Optimizely comes long after us, without a queue of its own, ${name}`, async (world) => {
    const tab = await world.open('/', html(snippet(world.origin), init(options), tag(), optimizelyConfig({ campaigns: [abTest()] })))
    await world.idle(tab)
    await tab.addScriptTag({ url: '/demo/optimizely-stand-in.js' })
    const [event] = await world.delivered(tab)
    assert.deepEqual(event.properties, EXPECTED)
  })
}

story('Performance Edge', async (world) => {
  const edge = { client: 'edge', campaigns: [abTest({ id: '' })] }
  for (const [order, page] of [
    ['after it', replayed(world, {}, edge)],
    ['before it', html(snippet(world.origin), init(), '<script src="/dist/decision-bridge.js"></script>', script('window.optimizelyEdge=window.optimizelyEdge||[]'), optimizelyConfig(edge), late)],
  ]) {
    const visitor = await world.visitor()
    world.server.events.length = 0
    const tab = await visitor.open('/', page)
    const [{ properties }] = await visitor.delivered(tab)
    assert.deepEqual(
      [properties.experimentId, properties.experimentName, properties.variationId, properties.variationName],
      ['9101', 'Shorter form', '9201', 'Original'],
      order,
    )
    assert.ok(!('campaignId' in properties) || properties.campaignId, 'no empty campaign')
  }
})

story('with sources [] Optimizely is left alone', async (world) => {
  const tab = await world.open('/', replayed(world, { sources: [] }, { campaigns: [abTest()] }))
  await decided(tab)
  await world.delivered(tab, 0)
})

story('a state that throws on everything costs the names, not the decision', async (world) => {
  const hostile = script(`window.optimizely={get(module){if(module!=='state')throw new Error('no');return new Proxy({},{get(){return ()=>{throw new Error('View Id must be specified')}}})},push(){}}`)
  const tab = await world.open('/', html(hostile, snippet(world.origin), init(), push('trackLayerDecision', layerDecision({ decisionData: { visitorId: VISITOR } })), tag()))
  const [{ properties }] = await world.delivered(tab)
  assert.equal(properties.experimentName, '22')
})

