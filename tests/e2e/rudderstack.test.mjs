// RudderStack, with its real SDK from npm, started the way its own script starts it.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { html, init, tag } from './pages.mjs'
import { arrives, decide, tool, toolStories } from './tools.mjs'

toolStories('rudderstack', {
  name: 'Experiment Viewed',
  properties: { experimentId: '100', experimentName: '100', variationId: '200', variationName: '200' },
  key: /^db-[0-9a-f]{32}$/,
})

story('rudderstack cannot fetch its configuration: the next page tells it once', async (world) => {
  await world.context.route('**/sourceConfig/**', (route) => route.fulfill({ status: 500 }))
  const page = await world.open('/', html(tool('rudderstack', world), init({ maxWaitMs: 300 }), tag()))
  await until(() => page.evaluate(() => window.rudderanalytics && !Array.isArray(window.rudderanalytics)), 'the real one is there')
  await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
  await decide(page)
  await world.idle(page)
  const report = await world.diagnose(page)
  assert.equal(report.destinations.find(({ name }) => name === 'rudderstack').state, 'stub')
  assert.deepEqual([report.counts.delivered, report.counts.pending], [0, 1])
  await world.context.unroute('**/sourceConfig/**')
  await world.open('/second', html(tool('rudderstack', world), init(), tag()), page)
  const [body] = await arrives(world, page, 'rudderstack', 'Experiment Viewed')
  assert.equal(body.context.messageId, body.properties.idempotencyKey)
})
