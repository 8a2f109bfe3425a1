// A redirect test: Optimizely decides, leaves at once, and the decision is told on the landing page.

import assert from 'node:assert/strict'
import { FALLBACK, story, until } from './harness.mjs'
import { abTest, html, init, integration, optimizely, optimizelyConfig, personalization, script, snippet, tag } from './pages.mjs'

const redirecting = (fields = {}) => ({
  id: '7001', name: 'Landing pages', policy: 'single_experiment', pageIds: ['shop'],
  experiments: [{ id: '7101', name: 'New landing page', variations: [{ id: '7201', name: 'As it was' }, { id: '7202', name: 'New', redirectTo: '/landing' }] }],
  ...fields,
})
const PAGES = [{ id: 'shop', apiName: 'shop', path: '^/shop' }, { id: '1', apiName: 'every_page' }]
const decide = (campaign) => ({ variationId: campaign.id === '7001' ? '7202' : campaign.experiments[0].variations[0].id })

const ENTRANCES = {
  'the analytics callback': () => ({ options: { sources: [] }, config: { integration: integration() } }),
  'the events and the state': () => ({ options: {}, config: {} }),
  'both at once': () => ({ options: {}, config: { integration: integration() } }),
}

/** Comes from /start by a link, so that there is a referrer, and lands. */
async function visit(world, html, landing = html) {
  world.server.pages.set('/start', '<!doctype html><title>Start</title><a href="/shop">to the shop</a>')
  world.server.pages.set('/shop', html)
  world.server.pages.set('/landing', landing)
  const tab = await world.open('/start')
  await tab.click('a')
  await tab.waitForURL('**/landing')
  await until(() => tab.evaluate(() => window.optimizelyStandIn?.log !== undefined), 'Optimizely runs on the landing page')
  return tab
}

function assertRedirected(world, event) {
  assert.deepEqual(event.properties, {
    experimentId: '7101', experimentName: 'New landing page', variationId: '7202', variationName: 'New',
    campaignId: '7001', campaignName: 'Landing pages', isHoldback: false, referrer: `${world.origin}/start`,
  })
  assert.equal(event.context.page.path, '/landing', 'it comes from the landing page')
}

const SYNCHRONOUS = '<script src="/dist/decision-bridge.js"></script>'

for (const [entrance, of] of Object.entries(ENTRANCES)) {
  for (const redirectCookie of ['tracking', 'change']) {
    for (const [order, page] of [
      ['our tag behind', (world, options, config) => html(optimizely(config), snippet(world.origin), init(options), tag())],
      ['our tag in front', (world, options, config) => html(script('window.optimizely=window.optimizely||[]'), init(options), SYNCHRONOUS, snippet(world.origin), optimizely(config))],
      ['Optimizely decides while we run', (world, options, config) =>
        html(script('window.optimizely=window.optimizely||[]'), snippet(world.origin), init(options), SYNCHRONOUS, optimizelyConfig(config),
          script(`(function wait(){if(!window.analytics.initialized||decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);
            const client=document.createElement('script');client.src='/demo/optimizely-stand-in.js';document.head.append(client)})()`))],
    ]) {
      // The fallback is never in front, it has to be fetched; and starting while Optimizely starts, it may
      // miss the cookie with the referrer.
      if (FALLBACK && order === 'our tag in front') continue
      const when = redirectCookie === 'tracking' ? 'with the decision' : 'with the change'
      story(`through ${entrance}, ${order}, the cookie written ${when}: one event, from the landing page, with the referrer`, async (world) => {
        const { options, config } = of()
        const tab = await visit(world, page(world, options, { campaigns: [redirecting()], pages: PAGES, decide, redirectCookie, ...config }))
        const [event] = await world.delivered(tab)
        assertRedirected(world, event)
        assert.deepEqual(await tab.evaluate(() => window.optimizelyStandIn.changed()), [])
      })
    }
  }
}

story('the referrer stands on the redirected experiment only', async (world) => {
  const config = { campaigns: [redirecting(), abTest(), personalization()], pages: PAGES, decide, integration: integration() }
  const tab = await visit(world, html(optimizely(config), snippet(world.origin), init(), tag()))
  const events = await world.delivered(tab, 3)
  const withReferrer = events.filter((event) => 'referrer' in event.properties)
  assert.deepEqual(withReferrer.map((event) => event.properties.experimentId), ['7101'])
})

story('a redirect that sends its visitors to a page where nothing else is decided', async (world) => {
  const config = { campaigns: [redirecting()], pages: [PAGES[0]], decide }
  const tab = await visit(world, html(optimizely(config), snippet(world.origin), init(), tag()))
  const [event] = await world.delivered(tab)
  assertRedirected(world, event)
})

story('the variation that stays is told on its page, without a referrer', async (world) => {
  const config = { campaigns: [redirecting()], pages: PAGES, decide: () => ({ variationId: '7201' }), integration: integration() }
  world.server.pages.set('/start', '<!doctype html><title>Start</title><a href="/shop">to the shop</a>')
  world.server.pages.set('/shop', html(optimizely(config), snippet(world.origin), init(), tag()))
  const tab = await world.open('/start')
  await tab.click('a')
  const [event] = await world.delivered(tab)
  assert.equal(event.properties.variationId, '7201')
  assert.ok(!('referrer' in event.properties))
})

story('a landing page without Optimizely: the decision is told all the same, once', async (world) => {
  const config = { campaigns: [redirecting()], pages: PAGES, decide }
  const landing = html(snippet(world.origin), init(), tag())
  world.server.pages.set('/landing', landing)
  world.server.pages.set('/shop', html(script('window.optimizely=window.optimizely||[]'), snippet(world.origin), init(), SYNCHRONOUS, optimizelyConfig(config),
    script(`(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);
      const client=document.createElement('script');client.src='/demo/optimizely-stand-in.js';document.head.append(client)})()`)))
  const tab = await world.open('/shop')
  await tab.waitForURL('**/landing')
  const [event] = await world.delivered(tab, 1, { repeats: true })
  assert.equal(event.properties.variationId, '7202')
})

story('Performance Edge tells of its redirect in the cookie only', async (world) => {
  const relayed = encodeURIComponent(JSON.stringify({ r: 'https://search.test/?q=shoes', x: '9101', v: '9201' }))
  const cookie = script(`document.cookie='optimizelyRedirectData=${relayed}; path=/; max-age=5'`)
  const config = { client: 'edge', campaigns: [abTest(), personalization()] }
  const tab = await world.open('/', html(cookie, optimizely(config), snippet(world.origin), init(), tag()))
  const events = await world.delivered(tab, 2)
  const referrers = Object.fromEntries(events.map(({ properties }) => [properties.experimentId, properties.referrer]))
  assert.deepEqual(referrers, { 9101: 'https://search.test/?q=shoes', 8101: undefined })
})
