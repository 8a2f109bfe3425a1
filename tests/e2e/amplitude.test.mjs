// Amplitude, with its real snippet and Browser SDK.

import assert from 'node:assert/strict'
import { story } from './harness.mjs'
import { html, init, js, push, script, tag } from './pages.mjs'
import { arrives, tool, toolStories } from './tools.mjs'

toolStories('amplitude', {
  name: 'Experiment Viewed',
  properties: { experimentId: '100', experimentName: '100', variationId: '200', variationName: '200' },
  key: /^db-[0-9a-f]{32}$/,
})

/** An experiment that gives everybody the one variation. */
const flagOf = (enabled) => ({
  version: '4', revision: '1', projectId: '500', accountId: '9', sendFlagDecisions: true,
  rollouts: [], groups: [], audiences: [], attributes: [], events: [],
  featureFlags: [{ id: '11', key: 'checkout', rolloutId: '', experimentIds: ['91'], variables: [] }],
  experiments: [{
    id: '91', key: 'checkout_exp', layerId: 'l', status: 'Running', audienceIds: [], forcedVariations: {},
    variations: [{ id: '911', key: 'blue', featureEnabled: enabled }], trafficAllocation: [{ entityId: '911', endOfRange: 10000 }],
  }],
})

for (const [enabled, value] of [[true, 'blue'], [false, 'off']]) {
  story(`a flag of Optimizely’s that is ${enabled ? 'on' : 'off'} becomes a user property, and the event goes after it`, async (world) => {
    const client = `const client=optimizelySdk.createInstance({datafile:${js(flagOf(enabled))},eventDispatcher:{dispatchEvent(event,done){done({statusCode:200})}}})
      decisionBridge.push(['attach','optimizelyFeature',client])
      client.onReady().then(()=>client.createUserContext('u1').decide('checkout'))`
    const sdk = '<script src="/packages/optimizely-sdk-5/dist/optimizely.browser.umd.min.js"></script>'
    const page = await world.open('/', html(tool('amplitude', world), init(), '<script src="/dist/decision-bridge.js"></script>', sdk, script(`optimizelySdk.setLogLevel('error');${client}`)))
    const [body] = await arrives(world, page, 'amplitude', 'Experiment Viewed')
    assert.deepEqual(body.event_properties, { flag_key: 'checkout', variation_key: 'blue', rule_key: 'checkout_exp', enabled, user_id: 'u1' })
    const all = world.server.told.filter(({ tool }) => tool === 'amplitude').map(({ body }) => body)
    const [identify] = all.filter(({ event_type: type }) => type === '$identify')
    assert.deepEqual(identify.user_properties, { $set: { '[Optimizely] checkout': value } })
    assert.deepEqual([identify.time, identify.insert_id], [body.time, `${body.insert_id}-user`])
    assert.ok(all.indexOf(identify) < all.indexOf(body))
  })
}

story('the site asks for Amplitude’s own exposure event', async (world) => {
  const options = { destinationOptions: { amplitude: { exposureEvent: '$exposure' } } }
  const page = await world.open('/', html(tool('amplitude', world), init(options), push('trackDecision', { experimentKey: 'checkout', variationKey: 'blue' }), tag()))
  const [body] = await arrives(world, page, 'amplitude', '$exposure')
  assert.deepEqual(body.event_properties, { flag_key: 'checkout', variant: 'blue', experiment_key: 'checkout' })
})
