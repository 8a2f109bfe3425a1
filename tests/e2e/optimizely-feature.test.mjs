// Optimizely Feature Experimentation: the vendor's SDKs 5 and 6, with a datafile of our own.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { html, init, js, script, snippet, tag } from './pages.mjs'

const experiment = (id, key, fields = {}) => ({
  id, key, layerId: `layer-${id}`, status: 'Running', audienceIds: [], forcedVariations: {},
  variations: [{ id: `${id}1`, key: 'control', featureEnabled: false }, { id: `${id}2`, key: 'treatment', featureEnabled: true }],
  trafficAllocation: [{ entityId: `${id}1`, endOfRange: 5000 }, { entityId: `${id}2`, endOfRange: 10000 }],
  ...fields,
})

const flag = (id, key, experimentIds, rolloutId = '') => ({ id, key, rolloutId, experimentIds, variables: [] })

const DATAFILE = {
  version: '4', revision: '7', projectId: '500', accountId: '9', sendFlagDecisions: true,
  rollouts: [{ id: 'R1', experiments: [experiment('90', 'promo_everyone', { trafficAllocation: [{ entityId: '902', endOfRange: 10000 }] })] }],
  groups: [{
    id: 'G1', policy: 'random', trafficAllocation: [{ entityId: '93', endOfRange: 10000 }],
    experiments: [experiment('93', 'grouped_exp', { forcedVariations: { tester_2: 'control' } })],
  }],
  audiences: [], attributes: [], events: [],
  featureFlags: [flag('11', 'checkout', ['91']), flag('12', 'promo', [], 'R1'), flag('13', 'nothing', []), flag('14', 'grouped', ['93'])],
  experiments: [experiment('91', 'checkout_exp', { forcedVariations: { tester_1: 'treatment' } }), experiment('92', 'classic_exp')],
}

const HOLDOUT = {
  id: 'H1', key: 'global_holdout', status: 'Running', audienceIds: [],
  variations: [{ id: 'H11', key: 'holdout_off', featureEnabled: false }], trafficAllocation: [{ entityId: 'H11', endOfRange: 10000 }],
}

/** How each version's documentation makes a client; what it sends to Optimizely stays on the page. */
const SDKS = {
  5: {
    src: '/packages/optimizely-sdk-5/dist/optimizely.browser.umd.min.js',
    create: (datafile) => `optimizelySdk.setLogLevel('error')
      const make=()=>optimizelySdk.createInstance({datafile:${js(datafile)},eventDispatcher:{dispatchEvent(event,done){sent.push(event);done({statusCode:200})}}})`,
  },
  6: {
    src: '/packages/@optimizely/optimizely-sdk/dist/optimizely.browser.umd.min.js',
    create: (datafile) => `const eventDispatcher={dispatchEvent(event){sent.push(event);return Promise.resolve({statusCode:200})}}
      const make=()=>optimizelySdk.createInstance({
        projectConfigManager:optimizelySdk.createStaticProjectConfigManager({datafile:${js(JSON.stringify(datafile))}}),
        eventProcessor:optimizelySdk.createBatchEventProcessor({eventDispatcher,closingEventDispatcher:eventDispatcher})})`,
  },
}

/** Our script in front, so that it is there when the page attaches; WebAssembly has yet to compile. */
const EARLY = '<script src="/dist/decision-bridge.js"></script>'

/** A page with a client that is ready when `code` runs; our script in front of all, or `late`. */
const page = (world, version, code, { options = {}, datafile = DATAFILE, late = '', early = late ? '' : EARLY } = {}) =>
  html(
    snippet(world.origin), init(options), early, `<script src="${SDKS[version].src}"></script>`,
    script(`window.sent=[];${SDKS[version].create(datafile)}
      const decide=(user,flag,options,...forced)=>{
        const context=client.createUserContext(user)
        for(const each of forced)context.setForcedDecision(...each)
        return context.decide(flag,options)}
      const attach=()=>{window.detach=decisionBridge.attach?decisionBridge.attach('optimizelyFeature',client):void decisionBridge.push(['attach','optimizelyFeature',client])}
      window.client=make();client.onReady().then(()=>{${code};window.done=true})`),
    late,
  )

const decided = (tab) => until(() => tab.evaluate(() => window.done), 'the page has decided')

/** The SDK sends what it decided about a second later; only then LOG_EVENT has told everything. */
async function impressions(tab, count) {
  const told = () => tab.evaluate(() => sent.flatMap(({ params }) => params.visitors.flatMap(({ snapshots }) => snapshots.flatMap(({ decisions }) => decisions ?? []))))
  await until(async () => (await told()).length >= count, `${count} impressions go to Optimizely`)
  return told()
}

const reasons = async (world, tab, verdict) =>
  (await world.diagnose(tab)).decisions.filter((each) => each.verdict === verdict).map(({ flagKey, reason }) => `${flagKey}: ${reason}`)

const EXPECTED = { flag_key: 'checkout', variation_key: 'treatment', rule_key: 'checkout_exp', enabled: true, user_id: 'user_123' }

for (const version of [5, 6]) {
  story(`SDK ${version}: a decision is sent as it is made, and not again with its impression`, async (world) => {
    const tab = await world.open('/', page(world, version, `attach();const before=Date.now();decide('user_123','checkout');window.times=[before,Date.now()]`))
    await decided(tab)
    await impressions(tab, 1)
    const [event] = await world.delivered(tab)
    assert.deepEqual(event.properties, EXPECTED)
    const [before, after] = await tab.evaluate(() => times)
    assert.ok(Date.parse(event.timestamp) >= before && Date.parse(event.timestamp) <= after)
    const { counts } = await world.diagnose(tab)
    assert.deepEqual([counts.delivered, counts.duplicate], [1, 0])
  })

  story(`SDK ${version}: what was decided before we came arrives with its impression, as the same event`, async (world) => {
    const ids = []
    for (const [path, late, code] of [
      ['/live', '', `attach();decide('user_123','checkout')`],
      ['/attached-late', '', `decide('user_123','checkout');attach()`],
      ['/loaded-late', tag(), `decide('user_123','checkout');attach()`],
      ['/loaded-later-still', tag(), `attach();decide('user_123','checkout')`],
    ]) {
      const visitor = await world.visitor()
      const tab = await visitor.open(path, page(world, version, `${code};window.at=Date.now()`, { options: { dedupe: 'visitor' }, late }))
      await decided(tab)
      await until(() => world.sent().length > ids.length, 'the exposure arrives')
      const event = world.sent().at(-1)
      assert.deepEqual(event.properties, EXPECTED)
      ids.push(event.messageId)
      assert.ok(Date.parse(event.timestamp) <= await tab.evaluate(() => at))
      await impressions(tab, 1)
      await visitor.settle(tab)
    }
    assert.equal(world.sent().length, 4)
    assert.equal(new Set(ids).size, 1, ids.join())
  })

  story(`SDK ${version}: repeats are duplicates, for each user`, async (world) => {
    const tab = await world.open('/', page(world, version, `attach();for(const user of ['user_123','user_2','user_123','user_2'])decide(user,'checkout')`))
    await decided(tab)
    await impressions(tab, 4)
    const events = await world.delivered(tab, 2)
    assert.deepEqual(events.map(({ properties }) => properties.user_id).sort(), ['user_123', 'user_2'])
    await world.counted(tab, 'duplicate', 2)
    await world.open('/', undefined, tab)
    await decided(tab)
    await world.delivered(tab, 2)
  })

  story(`SDK ${version}: another user on the same page is another exposure, and so is another flag`, async (world) => {
    const tab = await world.open('/', page(world, version, `attach();decide('user_123','checkout');decide('user_5','checkout');decide('user_123','grouped')`))
    await decided(tab)
    const events = await world.delivered(tab, 3)
    assert.deepEqual(events.map(({ properties: { user_id, rule_key } }) => `${user_id} ${rule_key}`).sort(), ['user_123 checkout_exp', 'user_123 grouped_exp', 'user_5 checkout_exp'])
  })

  story(`SDK ${version}: rollouts, flags without a rule and decisions without an impression are no exposures`, async (world) => {
    for (const order of [['attach()', ''], ['', 'attach()']]) {
      const tab = await world.open(`/${order.join()}`, page(world, version, `${order[0]};decide('user_123','promo');decide('user_123','nothing');decide('user_123','checkout',['DISABLE_DECISION_EVENT']);decide('user_123','gone');${order[1]}`))
      await decided(tab)
      await impressions(tab, 2)
      await world.delivered(tab, 0)
      const told = await reasons(world, tab, 'not-an-exposure')
      const expected = ['promo: a rollout', 'nothing: no rule applies']
      if (order[0]) expected.push('checkout: without an impression')
      assert.deepEqual(told, expected)
    }
  })

  const QA = {
    'a whitelisted user': `decide('tester_1','checkout')`,
    'a user whitelisted in a group': `decide('tester_2','grouped')`,
    'a flag forced as a whole': `decide('user_123','checkout',[],[{flagKey:'checkout'},{variationKey:'control'}])`,
    'a rule forced, whose reasons are asked for': `decide('user_123','checkout',['INCLUDE_REASONS'],[{flagKey:'checkout',ruleKey:'checkout_exp'},{variationKey:'control'}])`,
    'a forced variation': `client.setForcedVariation('checkout_exp','user_123','control');decide('user_123','checkout')`,
  }

  story(`SDK ${version}: forced decisions and whitelisted users are QA: marked, or dropped for good`, async (world) => {
    let count = 0
    for (const [name, code] of Object.entries(QA)) {
      const tab = await world.open(`/${count}`, page(world, version, `attach();${code}`, { options: { dedupe: 'page' } }))
      await decided(tab)
      const events = await world.delivered(tab, ++count)
      assert.equal(events.at(-1).properties.is_qa, true, name)
    }
    for (const [name, code] of Object.entries(QA)) {
      const tab = await world.open(`/drop${name.length}`, page(world, version, `attach();${code}`, { options: { dedupe: 'page', qa: 'drop' } }))
      await decided(tab)
      await impressions(tab, 1)
      await world.delivered(tab, count)
      assert.equal((await world.diagnose(tab)).counts.qa, 1, name)
    }
  })

  story(`SDK ${version}: the old API counts with its impressions, and getVariation does not`, async (world) => {
    const tab = await world.open('/', page(world, version, `attach();client.activate('classic_exp','user_123');client.getVariation('classic_exp','user_5');client.isFeatureEnabled('checkout','user_123')`))
    await decided(tab)
    await impressions(tab, 2)
    const events = await world.delivered(tab, 2)
    const told = events.map(({ properties }) => properties).sort((one, other) => (one.rule_key < other.rule_key ? -1 : 1))
    assert.deepEqual(told[0], EXPECTED)
    assert.deepEqual(told[1], { variation_key: told[1].variation_key, rule_key: 'classic_exp', enabled: true, user_id: 'user_123' })
  })

  story(`SDK ${version}: detached, it is as it was, and nothing more is told`, async (world) => {
    const code = `window.heard=[];window.names=['DECISION','DECISION:type, userId, attributes, decisionInfo'];
      for(const name of names)client.notificationCenter.addNotificationListener(name,({userId})=>heard.push(userId))`
    const tab = await world.open('/', page(world, version, code))
    await decided(tab)
    await world.idle(tab)
    await tab.evaluate(() => { window.detach = decisionBridge.attach('optimizelyFeature', client) })
    await tab.evaluate(() => decide('user_123', 'checkout').variationKey)
    await world.delivered(tab)
    await tab.evaluate(() => { detach(); detach() })
    await tab.evaluate(() => decide('user_5', 'checkout').variationKey)
    await impressions(tab, 2)
    await world.delivered(tab)
    assert.deepEqual(await tab.evaluate(() => heard), ['user_123', 'user_5'])
    assert.equal((await world.diagnose(tab)).decisions.length, 1)
  })

  story(`SDK ${version}: the client that the page names late is found by itself, at once`, async (world) => {
    for (const declared of ['window.optimizelyClientInstance=client', 'var optimizelyClientInstance=client']) {
      const tab = await world.open(`/${declared.length}`, page(world, version, '', { options: { dedupe: 'page' } }))
      await decided(tab)
      await world.idle(tab)
      const before = world.sent().length
      await tab.addScriptTag({ content: `${declared};decide('user_123','checkout')` })
      await world.delivered(tab, before + 1)
      assert.equal(await tab.evaluate(() => optimizelyClientInstance === client), true)
    }
  })

  story(`SDK ${version}: the client that was there before us is found by itself`, async (world) => {
    const tab = await world.open('/', page(world, version, `window.optimizelyClientInstance=client;decide('user_123','checkout')`))
    await decided(tab)
    assert.deepEqual((await world.delivered(tab))[0].properties, EXPECTED)
  })

  story(`SDK ${version}: it decides and sends the same with us and without us`, async (world) => {
    const told = []
    for (const [path, early] of [['/with', EARLY], ['/without', '']]) {
      const tab = await world.open(path, page(world, version, `${early && 'attach();'}window.made=['user_123','user_2','tester_1'].map(user=>decide(user,'checkout')).concat(decide('user_123','promo')).map(({variationKey,ruleKey,enabled})=>[variationKey,ruleKey,enabled])`, { early }))
      await decided(tab)
      const sent = await impressions(tab, 4)
      told.push({ made: await tab.evaluate(() => made), sent })
    }
    assert.deepEqual(told[0], told[1])
  })
}

story('SDK 6: a holdout is a holdback, dropped unless the page wants it', async (world) => {
  const datafile = { ...DATAFILE, holdouts: [HOLDOUT] }
  for (const order of ['attach();decide("user_123","checkout")', 'decide("user_123","checkout");attach()']) {
    const tab = await world.open(`/${order.length}${order[0]}`, page(world, 6, order, { datafile }))
    await decided(tab)
    await world.counted(tab, 'holdback')
    await world.delivered(tab, 0)
  }
  const tab = await world.open('/send', page(world, 6, 'attach();decide("user_123","checkout")', { datafile, options: { holdback: 'send' } }))
  await decided(tab)
  const [{ properties }] = await world.delivered(tab)
  assert.equal(properties.is_holdback, true)
  assert.equal(properties.rule_key, 'global_holdout')
})

story('what is no client of the SDK is refused with a reason', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), tag()))
  await world.idle(tab)
  await tab.evaluate(() => { for (const wrong of [null, 7, {}, window]) decisionBridge.attach('optimizelyFeature', wrong) })
  const { errors, sources } = await world.diagnose(tab)
  assert.deepEqual(sources, [])
  assert.ok(errors.length >= 1 && errors.every(({ message }) => message.includes('attach `argument 2`')), JSON.stringify(errors))
}, { errors: true })
