// Several destinations at once: each has its own way, and one that fails touches no other.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, layerDecision, push, script, snippet, tag } from './pages.mjs'
import { arrives, decide, madeBetween, told, tool } from './tools.mjs'

const VIEWED = 'Experiment Viewed'
const STARTED = '$experiment_started'
const CALLED = '$feature_flag_called'
const everybody = (world) => ['amplitude', 'rudderstack', 'mixpanel', 'posthog'].map((kind) => tool(kind, world)).join('')

story('all at once: each is told once, in its own words, under one time', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), everybody(world), init(), tag()))
  await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
  const between = await decide(page)
  for (const [kind, name] of [['amplitude', VIEWED], ['rudderstack', VIEWED], ['mixpanel', STARTED], ['posthog', CALLED]]) {
    const [body] = await arrives(world, page, kind, name)
    madeBetween(kind, body, between)
  }
  const [event] = await world.delivered(page)
  assert.equal(event.messageId, told(world, 'amplitude', VIEWED)[0].insert_id)
  await world.counted(page, 'delivered')
  await world.open('/second', html(snippet(world.origin), everybody(world), init(), push('trackDecision', decision()), tag()), page)
  await world.counted(page, 'duplicate')
  await world.delivered(page, 1, { repeats: true })
})

for (const [how, spoil] of [
  ['throws', 'const wait=setInterval(()=>{if(window.mixpanel&&mixpanel.__loaded){clearInterval(wait);mixpanel.track=()=>{throw new Error("boom")}}},1)'],
  ['never loads', ''],
]) {
  story(
    `two at once, and one of them ${how}: the other is told at once and once, the failing one on a later page`,
    async (world) => {
      const faults = how === 'never loads' ? 'blocked/' : ''
      const named = { destinations: ['mixpanel', 'amplitude'], maxWaitMs: 1000 }
      const page = await world.open('/', html(tool('mixpanel', world, faults), script(spoil), tool('amplitude', world), init(named), tag()))
      if (how === 'throws') await until(() => page.evaluate(() => /boom/.test(String(window.mixpanel?.track))), 'it is spoiled')
      await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
      const between = await decide(page)
      const [body] = await arrives(world, page, 'amplitude', VIEWED)
      madeBetween('amplitude', body, between)
      const report = await world.diagnose(page)
      assert.deepEqual([report.counts.delivered, report.counts.pending], [0, 1])
      await world.open('/second', html(tool('mixpanel', world), tool('amplitude', world), init(named), tag()), page)
      const [late] = await arrives(world, page, 'mixpanel', STARTED)
      madeBetween('mixpanel', late, between)
      assert.equal(late.properties.$insert_id, body.insert_id)
      await arrives(world, page, 'amplitude', VIEWED)
    },
    { errors: how === 'throws' },
  )
}

story('each remembers for itself: one that comes on a later page is told what it lacks, and no other again', async (world) => {
  const options = { destinations: ['amplitude', 'mixpanel'] }
  const page = await world.open('/', html(tool('amplitude', world), init({ ...options, destinations: ['amplitude'] }), push('trackDecision', decision()), tag()))
  await arrives(world, page, 'amplitude', VIEWED)
  await world.open('/second', html(tool('amplitude', world), tool('mixpanel', world), init(options), push('trackDecision', decision()), tag()), page)
  await arrives(world, page, 'mixpanel', STARTED)
  await arrives(world, page, 'amplitude', VIEWED)
})

story('options change what all are told', async (world) => {
  const options = { eventName: 'Seen', propertyCase: 'snake_case', properties: { site: 'shop' } }
  const page = await world.open('/', html(tool('amplitude', world), tool('mixpanel', world), init(options), push('trackLayerDecision', layerDecision({ isHoldback: false })), tag()))
  const [amplitude] = await arrives(world, page, 'amplitude', 'Seen')
  assert.deepEqual(amplitude.event_properties, {
    site: 'shop', experiment_id: '22', experiment_name: '22', variation_id: '33', variation_name: '33',
    campaign_id: '11', campaign_name: '11', is_holdback: false,
  })
  const [mixpanel] = await arrives(world, page, 'mixpanel', 'Seen')
  assert.deepEqual([mixpanel.properties['Experiment name'], mixpanel.properties.site], ['22', 'shop'])
})
