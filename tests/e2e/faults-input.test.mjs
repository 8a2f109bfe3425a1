// Decisions that are too much, or that change under our hands.

import assert from 'node:assert/strict'
import { FALLBACK, story } from './harness.mjs'
import { memorySpy, moduleMemory } from './memory.mjs'
import { decision, html, init, snippet, tag } from './pages.mjs'

story('a hundred names of a megabyte are cut, and none of it enters the module', async (world) => {
  const page = await world.open('/', html(memorySpy, snippet(world.origin), init(), tag()))
  await world.idle(page)
  const before = await moduleMemory(page)
  assert.ok(before > 0 || FALLBACK)
  await page.evaluate(() => {
    for (let index = 0; index < 100; index++) {
      const name = String.fromCharCode(97 + (index % 26)).repeat(1e6)
      window.decisionBridge.trackDecision({ experimentId: `e${index}`, variationId: 'v', experimentName: name, variationName: name })
    }
  })
  const events = await world.delivered(page, 100)
  assert.deepEqual([...new Set(events.map(({ properties }) => properties.experimentName.length))], [512])
  assert.ok((await moduleMemory(page)) - before <= 65536, 'a page of memory at most, for a hundred decisions')
})

story('a decision that the page changes after the call is told as it was at the call', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init()))
  await page.evaluate((decision) => {
    const tag = document.createElement('script')
    tag.src = '/dist/decision-bridge.js'
    // Our script has run, its module is still being compiled.
    tag.onload = () => {
      window.decisionBridge.trackDecision(decision)
      decision.variationId = 'changed'
      decision.experimentName = 'changed'
      decision.properties.team = 'changed'
    }
    document.head.append(tag)
  }, decision({ experimentName: 'as it was', properties: { team: 'as it was' } }))
  const [{ properties }] = await world.delivered(page)
  assert.equal(properties.variationId, decision().variationId)
  assert.deepEqual([properties.experimentName, properties.team], ['as it was', 'as it was'])
})

story('a form that is called cookie does not hide the address', async (world) => {
  const form = '<form name="cookie"></form>'
  const page = await world.open('/?optimizely_x=1', html(form, snippet(world.origin), init(), tag()))
  await world.idle(page)
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision())
  await world.counted(page, 'preview')
})
