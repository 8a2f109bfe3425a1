// Analytics late, never, or on the next page: nothing is lost, and the time is that of the decision.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { story, until } from './harness.mjs'
import { WRITE_KEY, decision, html, init, layerDecision, push, script, snippet, snippetCode, tag } from './pages.mjs'

/** Makes a decision now; says between which moments. */
const decide = (page, fields = {}) =>
  page.evaluate((fields) => {
    const from = Date.now()
    window.decisionBridge.push(['trackLayerDecision', fields])
    return [from, Date.now()]
  }, layerDecision(fields))

function madeBetween(event, [from, to]) {
  const at = Date.parse(event.timestamp)
  assert.ok(at >= from && at <= to, `timestamp ${at} is that of the decision, between ${from} and ${to}`)
}

const real = (page) => until(() => page.evaluate(() => window.analytics?.initialized === true), 'analytics.js is ready')

story('analytics.js is ready before the decision', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), tag()))
  await real(page)
  await world.idle(page)
  const between = await decide(page)
  const [event] = await world.delivered(page)
  madeBetween(event, between)
  assert.deepEqual(event.properties, {
    experimentId: '22', experimentName: '22', variationId: '33', variationName: '33',
    campaignId: '11', campaignName: '11', isHoldback: false,
  })
  assert.equal(event.writeKey, WRITE_KEY)
  assert.match(event.messageId, /^\S{10,100}$/)
  await world.counted(page, 'delivered')
})

story('the official snippet stubs, its script comes two seconds late', async (world) => {
  const page = await world.open('/', html(snippet(world.origin, { cdn: '/cdn/delay-2000' }), init(), script('window.from=Date.now()'), push('trackDecision', decision()), script('window.to=Date.now()'), tag()))
  const between = await page.evaluate(() => [window.from, window.to])
  const [event] = await world.delivered(page)
  // What was pushed before our script came has the time our script took it in, "as well as that can be known".
  const at = Date.parse(event.timestamp)
  assert.ok(at >= between[0] && at < event.receivedAt - 1000, 'the time is that of the decision, not of the replay')
  assert.deepEqual(event.properties, {
    experimentId: '100', experimentName: '100', variationId: '200', variationName: '200', assignedAt: event.timestamp,
  })
})

describe('six seconds late', { concurrency: true }, () => {
  for (const [name, options] of [
    ['within a longer wait', { maxWaitMs: 20_000 }],
    ['after the wait is over: its script wakes us', {}],
  ]) {
    story(`the snippet itself comes six seconds late, ${name}`, async (world) => {
      const page = await world.open('/', html(init(options), tag()))
      await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
      const between = await decide(page)
      await page.waitForTimeout(6000)
      assert.equal(world.server.events.length, 0)
      await page.addScriptTag({ content: snippetCode(world.origin) })
      const [event] = await world.delivered(page)
      madeBetween(event, between)
    })
  }
})

story('the page is left while we wait: the next page delivers, with the original time and page', async (world) => {
  const page = await world.open('/first', html(init(), tag()))
  await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
  const between = await decide(page)
  await world.counted(page, 'pending')
  await page.waitForTimeout(300)
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  const [event] = await world.delivered(page)
  madeBetween(event, between)
  assert.equal(event.context.page.path, '/first')
  await world.open('/third', html(snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})

story('the page is left the moment after the decision, before analytics', async (world) => {
  world.server.pages.set('/landing', html(snippet(world.origin), init(), tag()))
  const page = await world.open('/', html(init(), tag()))
  await world.idle(page)
  await page.evaluate((decision) => {
    window.decisionBridge.trackDecision(decision)
    location.replace('/landing')
  }, decision())
  await page.waitForURL('**/landing')
  await world.delivered(page)
})

for (const [name, cdn] of [['a stub', '/cdn/delay-1000'], ['the real analytics.js', '/cdn']]) {
  story(`location.replace right after the decision, with ${name}`, async (world) => {
    world.server.pages.set('/landing', html(snippet(world.origin), init(), tag()))
    const page = await world.open('/', html(snippet(world.origin, { cdn }), init(), tag()))
    if (cdn === '/cdn') await real(page)
    await world.idle(page)
    const [from, to] = await page.evaluate((decision) => {
      const from = Date.now()
      window.decisionBridge.trackDecision(decision)
      const between = [from, Date.now()]
      location.replace('/landing')
      return between
    }, decision())
    await page.waitForURL('**/landing')
    const [event] = await world.delivered(page, 1, { repeats: true })
    madeBetween(event, [from, to])
  })
}

story('handed to a stub that never loads: the next page offers it again under the same messageId', async (world) => {
  const page = await world.open('/', html(snippet(world.origin, { cdn: '/cdn/hang' }), init(), tag(), push('trackDecision', decision())))
  const queued = () => page.evaluate(() => [...window.analytics].find((call) => call[0] === 'track' && call[1] === 'Experiment Viewed')?.[3])
  const first = await until(queued, 'the stub holds the exposure')
  await world.open('/second', html(snippet(world.origin, { cdn: '/cdn/hang' }), init(), tag()), page)
  const second = await until(queued, 'the stub of the next page holds it too')
  assert.equal(second.messageId, first.messageId)
  assert.equal(second.timestamp, first.timestamp)
  await world.open('/third', html(snippet(world.origin), init(), tag()), page)
  const [event] = await world.delivered(page)
  assert.equal(event.messageId, first.messageId)
  assert.equal(event.timestamp, first.timestamp)
  await world.open('/fourth', html(snippet(world.origin), init(), tag()), page)
  await world.settle(page)
  assert.equal(world.server.events.filter((event) => event.event === 'Experiment Viewed').length, 1, 'confirmed, so not offered again')
})

for (const [when, cdn] of [['before we listen', '/cdn/blocked'], ['while we listen', '/cdn/delay-1000/blocked']]) {
  story(`analytics.js is blocked ${when}: the next page delivers once, and the report says what happened`, async (world) => {
    const late = script(`addEventListener('error',()=>{const tag=document.createElement('script');tag.src='/dist/decision-bridge.js';document.head.append(tag)},true)`)
    const listening = when === 'while we listen'
    const page = await world.open('/', html(listening ? tag() : late, snippet(world.origin, { cdn }), init({ maxWaitMs: 2000 }), push('trackDecision', decision())))
    await until(async () => (await world.diagnose(page)).warnings?.some(({ message }) => /segment/.test(message)), 'a warning names the blocked destination')
    await world.idle(page)
    const report = await world.diagnose(page)
    // A failure before our script listened cannot be told from a slow network.
    assert.equal(report.destinations[0].state, listening ? 'failed' : 'stub')
    assert.equal(report.counts.delivered, 0)
    assert.equal(report.counts.pending, 1)
    await world.open('/second', html(snippet(world.origin), init(), tag()), page)
    await world.delivered(page)
    await world.open('/third', html(snippet(world.origin), init(), tag()), page)
    await world.delivered(page)
  })
}

story(
  'the settings of analytics.js fail: the next page delivers once',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin, { cdn: '/cdn/settings-fail' }), init({ maxWaitMs: 500 }), tag(), push('trackDecision', decision())))
    await world.counted(page, 'pending')
    await until(() => world.said.some((line) => /settings/.test(line.text)), 'analytics.js gave up')
    await world.open('/second', html(snippet(world.origin), init(), tag()), page)
    await world.delivered(page)
  },
  // Where its settings fail, analytics.js reports that to Segment itself.
  { hosts: ['api.segment.io'] },
)

story('carryOverMs 0: what was not delivered on this page is not on the next', async (world) => {
  const page = await world.open('/', html(init({ carryOverMs: 0 }), tag(), push('trackDecision', decision())))
  await world.counted(page, 'pending')
  await world.open('/second', html(snippet(world.origin), init({ carryOverMs: 0 }), tag(), push('trackDecision', decision({ experimentId: '101' }))), page)
  const [event] = await world.delivered(page)
  assert.equal(event.properties.experimentId, '101')
})

story('a decision that waited longer than carryOverMs is expired, and counted', async (world) => {
  const page = await world.open('/', html(init({ carryOverMs: 300 }), tag(), push('trackDecision', decision())))
  await world.counted(page, 'pending')
  await page.goto('about:blank')
  await page.waitForTimeout(600)
  await world.open('/second', html(snippet(world.origin), init({ carryOverMs: 300 }), tag()), page)
  await world.counted(page, 'expired')
  await world.delivered(page, 0)
})

story('decisions leave in the order they came', async (world) => {
  const page = await world.open('/', html(init(), tag()))
  await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
  const told = await page.evaluate(async () => {
    const order = []
    for (let n = 0; n < 40; n += 1) window.decisionBridge.trackDecision({ experimentId: `e${n}`, variationId: 'v' })
    window.analytics = { track: (name, properties) => order.push(properties.experimentId) }
    window.decisionBridge.flush()
    while (order.length < 40) await new Promise((next) => setTimeout(next, 10))
    return order
  })
  assert.deepEqual(told, Array.from({ length: 40 }, (_, n) => `e${n}`))
})

for (const [name, options, wake] of [
  ['by the poll', { pollIntervalMs: 20 }, () => {}],
  ['by flush()', { pollIntervalMs: 60_000, maxWaitMs: 600_000 }, () => window.decisionBridge.flush()],
  ['when its tab is shown again', { pollIntervalMs: 60_000, maxWaitMs: 600_000 }, () => document.dispatchEvent(new Event('visibilitychange'))],
  ['by a new decision', { pollIntervalMs: 60_000, maxWaitMs: 600_000 }, () => window.decisionBridge.trackDecision({ experimentId: 'b', variationId: 'v' })],
  ['by a script that has loaded', { pollIntervalMs: 60_000, maxWaitMs: 600_000 }, () => document.head.append(Object.assign(document.createElement('script'), { src: '/other.js' }))],
]) {
  story(`analytics that appears in silence is found ${name}`, async (world) => {
    world.server.pages.set('/other.js', { html: '"another script"', headers: { 'content-type': 'text/javascript' } })
    const page = await world.open('/', html(init(options), tag(), push('trackDecision', { experimentId: 'a', variationId: 'v' })))
    await world.counted(page, 'pending')
    await page.evaluate(() => {
      window.told = []
      window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
    })
    await page.evaluate(wake)
    await until(() => page.evaluate(() => window.told.includes('a')), 'the decision is handed over')
    await world.idle(page)
  })
}

story('analytics never comes: the wait ends, no timer stays', async (world) => {
  const page = await world.open('/', html(init({ maxWaitMs: 400, pollIntervalMs: 50 }), tag(), push('trackDecision', decision())))
  await world.counted(page, 'pending')
  await world.idle(page)
  const report = await world.diagnose(page)
  assert.equal(report.destinations[0].state, 'missing')
  assert.equal(report.counts.pending, 1)
})

story('Segment answers with errors at first, then loses its answers: still one event', async (world) => {
  world.server.ingestion.status = 500
  const page = await world.open('/', html(snippet(world.origin), init(), tag(), push('trackDecision', decision())))
  const posts = () => world.server.requests.filter((request) => request.method === 'POST').length
  await until(() => posts() >= 1, 'a first attempt was refused')
  Object.assign(world.server.ingestion, { status: 200, loseAnswers: true })
  await until(() => world.exposures().length === 1, 'the second attempt is taken')
  world.server.ingestion.loseAnswers = false
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  await world.delivered(page, 1, { repeats: true })
})
