// All at once: the real SDKs of every source on one page, and two destinations.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { abTest, html, init, js, optimizely, script, snippet } from './pages.mjs'
import { arrives, tool } from './tools.mjs'

const OURS = '<script src="/dist/decision-bridge.js"></script>'

const DATAFILE = {
  version: '4', revision: '1', projectId: '1', accountId: '1', rollouts: [], groups: [], audiences: [], attributes: [], events: [],
  featureFlags: [{ id: '10', key: 'checkout_redesign', rolloutId: '', experimentIds: ['9300000000501'], variables: [] }],
  experiments: [{
    id: '9300000000501', key: 'checkout_rule', layerId: '9300000000500', status: 'Running', audienceIds: [], forcedVariations: {},
    variations: [{ id: '8001', key: 'control', featureEnabled: true }], trafficAllocation: [{ entityId: '8001', endOfRange: 10000 }],
  }],
}
const USER = { userID: 'user_123', customIDs: { stableID: 's1' } }
const STATSIG = {
  has_updates: true, time: 1, hash_used: 'none', user: USER, feature_gates: {}, layer_configs: {},
  dynamic_configs: { statsig_exp: {
    name: 'statsig_exp', value: { cta: 'B' }, rule_id: 'r_test', group: 'r_test', group_name: 'Test', id_type: 'userID', is_device_based: false,
    is_user_in_experiment: true, is_experiment_active: true, secondary_exposures: [],
  } },
}

/** Each source: its SDK with a decision made by `see<source>()`, and the experiment that is told. */
const SOURCES = {
  OptimizelyFeature: {
    part: '<script src="/packages/@optimizely/optimizely-sdk/dist/optimizely.browser.umd.min.js"></script>' + script(`
      window.fx=optimizelySdk.createInstance({projectConfigManager:optimizelySdk.createStaticProjectConfigManager({datafile:${js(JSON.stringify(DATAFILE))}})});
      decisionBridge.push(['attach','optimizelyFeature',fx]);
      window.seeOptimizelyFeature=()=>fx.createUserContext('user_123').decide('checkout_redesign');
      fx.onReady().then(()=>seeOptimizelyFeature())`),
    sent: ['rule_key', 'checkout_rule'],
  },
  Statsig: {
    part: '<script src="/packages/@statsig/js-client/build/statsig-js-client.min.js"></script>' + script(`
      window.statsig=new Statsig.StatsigClient('client-key',${js(USER)},{networkConfig:{preventAllNetworkTraffic:true}});
      statsig.dataAdapter.setData(${js(JSON.stringify(STATSIG))});statsig.initializeSync();
      window.seeStatsig=()=>statsig.getExperiment('statsig_exp').get('cta','A');seeStatsig()`),
    sent: ['experiment_id', 'statsig_exp'],
  },
  Growthbook: {
    part: '<script src="/packages/@growthbook/growthbook/dist/bundles/index.min.js"></script>' + script(`
      window.gb=new growthbook.GrowthBook({enableDevMode:true,attributes:{id:'user_123'}});
      window.seeGrowthbook=()=>gb.run({key:'growthbook_exp',name:'Inline',variations:['a','b']});seeGrowthbook()`),
    sent: ['experiment_id', 'growthbook_exp'],
  },
  OpenFeature: {
    part: '<script src="/packages/@openfeature/web-sdk/dist/global/index.min.js"></script>' + script(`
      const {OpenFeature:api,InMemoryProvider}=OpenFeature;
      window.seeOpenFeature=()=>api.getClient().getStringValue('open_flag','none');
      decisionBridge.push(['attach','openFeature']);
      api.setContext({targetingKey:'user_123'});
      api.setProviderAndWait(new InMemoryProvider({open_flag:{disabled:false,defaultVariant:'off',variants:{off:'off',on:'on'},contextEvaluator:()=>'on'}})).then(()=>seeOpenFeature())`),
    sent: ['experiment_id', 'open_flag'],
  },
  Avsb: {
    part: script(`window.avsbStandIn=${js({ again: true, experiments: [{ id: 'exp_avsb', name: 'Hero', variations: [{ id: 'var_b', name: 'B' }] }] })};decisionBridge.push(['attach','avsb'])`) +
      '<script src="/demo/avsb-stand-in.js"></script>' + script(`window.seeAvsb=()=>avsb.onEvent({experiment_id:'exp_avsb',experiment_name:'Hero',variation_id:'var_b',variation_name:'B',event_name:'experiment_viewed'})`),
    name: 'avsb_experiment',
    sent: ['experiment_id', 'exp_avsb'],
  },
  Webyn: {
    part: script(`window.seeWebyn=()=>decisionBridge.push(['trackDecision',{experimentId:'webyn_exp',variantId:'v1'}]);seeWebyn()`),
    sent: ['experimentId', 'webyn_exp'],
  },
  OptimizelyWeb: {
    part: optimizely({ campaigns: [abTest()] }),
    sent: ['experimentId', '9101'],
  },
}
const ALL = Object.values(SOURCES)
const EXPECTED = ALL.map(({ sent: [, experiment] }) => experiment).sort()
/** Of all exposures, the experiments they tell of. */
const experiments = (all) => all.map((properties) => {
  const { sent: [name] } = ALL.find(({ sent: [name, experiment] }) => properties[name] === experiment) ?? { sent: ['experiment_id'] }
  return properties[name]
}).sort()

const analytics = (world) => snippet(world.origin) + tool('amplitude', world)
const parts = ALL.map(({ part }) => part)

/** What came to each destination in the end, under both names. */
async function arrived(world, tab) {
  const segment = await world.delivered(tab, ALL.length - 1)
  const [hero] = await world.delivered(tab, 1, { name: 'avsb_experiment' })
  const amplitude = await arrives(world, tab, 'amplitude', 'Experiment Viewed', ALL.length - 1)
  const [other] = await arrives(world, tab, 'amplitude', 'avsb_experiment', 1)
  return {
    segment: [...segment, hero].map((event) => event.properties),
    amplitude: [...amplitude, other].map((event) => event.event_properties),
  }
}

for (const [order, page] of [
  ['we are there first', (world) => html(analytics(world), init(), OURS, ...parts)],
  ['analytics come last', (world) => html(init(), OURS, ...parts, analytics(world))],
]) {
  story(`all sources on one page, with two destinations: every exposure once at each; ${order}`, async (world) => {
    const tab = await world.open('/', page(world))
    const both = await arrived(world, tab)
    assert.deepEqual(experiments(both.segment), EXPECTED)
    assert.deepEqual(experiments(both.amplitude), EXPECTED)
    assert.deepEqual(both.amplitude.map(js).sort(), both.segment.map(js).sort(), 'both are told the same')
    // Read again, and again on the next page: nothing more is told.
    await tab.evaluate((names) => { for (const name of names) window[`see${name}`]?.() }, Object.keys(SOURCES))
    await arrived(world, tab)
    await world.open('/', undefined, tab)
    await until(() => tab.evaluate(() => window.decisionBridge.diagnose().counts?.duplicate >= 6).catch(() => false), 'the next page has told all again')
    await arrived(world, tab)
  })
}
