// `alias`, once for each visitor who was anonymous and is known now.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { WRITE_KEY, decision, html, init, push, script, snippet, tag } from './pages.mjs'

const aliases = (world) => world.server.unique().filter((event) => event.type === 'alias')
const sent = (world) => world.server.events.filter((event) => event.type === 'alias')
const page = (world, { cdn, ...options } = {}, ...parts) => html(snippet(world.origin, { cdn }), init({ alias: true, ...options }), ...parts, tag())
const real = (tab) => until(() => tab.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
const identify = (tab, id) => tab.evaluate((id) => void window.analytics.identify(id), id)
const anonymousId = (tab) => tab.evaluate(() => window.analytics.user().anonymousId())
const aliased = (world, count = 1) => until(() => aliases(world).length >= count, () => `${count} aliases arrive`)

async function ready(world, ...page) {
  const tab = await world.open('/', ...page)
  await real(tab)
  await world.settle(tab)
  return tab
}

for (const [name, cdn] of [['on the stub', '/cdn/delay-500'], ['on the stub of analytics-next 1.67', '/cdn/old/delay-500'], ['when all is ready', '/cdn']]) {
  story(`a visitor who becomes known ${name} is aliased once`, async (world) => {
    const tab = await world.open('/', page(world, { cdn }))
    await until(() => tab.evaluate(() => window.decisionBridge.diagnose?.().state === 'running'), 'the bridge runs')
    if (name.endsWith('ready')) await real(tab)
    await identify(tab, 'u1')
    await aliased(world)
    const [alias] = aliases(world)
    assert.equal(alias.userId, 'u1')
    assert.equal(alias.previousId, await anonymousId(tab))
    await identify(tab, 'u1')
    await tab.evaluate(() => void window.analytics.identify('u1', { plan: 'pro' }))
    await world.settle(tab)
    await world.open('/second', page(world, {}, script("analytics.identify('u1')")), tab)
    await world.settle(tab)
    assert.equal(sent(world).length, 1)
  })
}

story('who was anonymous on one page and comes known on the next is aliased there', async (world) => {
  const tab = await ready(world, page(world))
  const before = await anonymousId(tab)
  await world.open('/second', page(world, {}, script("analytics.identify('u1')")), tab)
  await aliased(world)
  await world.settle(tab)
  assert.equal(sent(world).length, 1)
  assert.equal(aliases(world)[0].previousId, before)
})

story('the login page is left at once: the next page aliases, and still only one event arrives', async (world) => {
  const tab = await ready(world, page(world))
  world.server.ingestion.delayMs = 1500
  world.server.pages.set('/second', page(world))
  await tab.evaluate(() => {
    window.analytics.identify('u1')
    location.href = '/second'
  })
  await tab.waitForURL('**/second')
  world.server.ingestion.delayMs = 0
  await aliased(world)
  await world.settle(tab)
  assert.equal(aliases(world).length, 1)
})

story('one known user after another is no transition; a logout and a login is', async (world) => {
  const tab = await ready(world, page(world))
  await identify(tab, 'u1')
  await aliased(world)
  await identify(tab, 'u2')
  await world.settle(tab)
  assert.equal(aliases(world).length, 1)
  await tab.evaluate(() => window.analytics.reset())
  await identify(tab, 'u3')
  await aliased(world, 2)
  await world.settle(tab)
  assert.deepEqual(aliases(world).map(({ userId }) => userId), ['u1', 'u3'])
  assert.equal(aliases(world)[1].previousId, await anonymousId(tab))
  assert.notEqual(aliases(world)[1].previousId, aliases(world)[0].previousId)
})

story('who was known before we came is not aliased', async (world) => {
  const before = script("document.cookie='ajs_user_id=u1';document.cookie='ajs_anonymous_id=c0ffee00-0000-4000-8000-000000000000'")
  for (const cdn of ['/cdn/delay-300', '/cdn']) {
    const tab = await world.open('/', html(before, snippet(world.origin, { cdn }), init({ alias: true }), tag(), script("analytics.identify('u1')")))
    await world.settle(tab)
    await tab.close()
  }
  assert.equal(aliases(world).length, 0)
})

story('two tabs alias once', async (world) => {
  const one = await ready(world, page(world))
  const two = await world.open('/', undefined)
  await world.settle(two)
  await identify(one, 'u1')
  await aliased(world)
  await world.settle(one)
  await identify(two, 'u1')
  await world.settle(two)
  assert.equal(sent(world).length, 1)
})

story('the npm package is listened to as well', async (world) => {
  const load = script(`window.analytics=AnalyticsNext.AnalyticsBrowser.load({writeKey:${JSON.stringify(WRITE_KEY)},cdnURL:${JSON.stringify(world.origin + '/cdn')}})`)
  const tab = await world.open('/', html('<script src="/npm/index.js"></script>', load, init({ alias: true }), tag()))
  await until(() => tab.evaluate(() => window.decisionBridge.diagnose?.().state === 'running'), 'the bridge runs')
  await identify(tab, 'u1')
  await aliased(world)
  await world.settle(tab)
  assert.deepEqual(sent(world).map(({ userId }) => userId), ['u1'])
})

story('nothing is aliased or kept without consent, nor after a refusal, nor without the option', async (world) => {
  const kept = (tab) => tab.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge')))
  const tab = await ready(world, page(world, { requireConsent: true }))
  assert.deepEqual(await kept(tab), [])
  await tab.evaluate(() => window.decisionBridge.consent(true))
  await until(async () => (await kept(tab)).includes('decision-bridge/1/alias'), 'who is anonymous is remembered')
  await tab.evaluate(() => window.decisionBridge.consent(false))
  assert.deepEqual(await kept(tab), [])
  await identify(tab, 'u1')
  await world.settle(tab)
  const plain = await (await world.visitor()).open('/plain', page(world, { alias: false }, push('trackDecision', decision())))
  await real(plain)
  await identify(plain, 'u2')
  await world.settle(plain)
  assert.equal(aliases(world).length, 0)
})
