// Preview is no visitor and is dropped; QA is the live experiment run by the team, sent and marked.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { abTest, decision, html, init, integration, optimizely, optimizelyConfig, push, script, snippet, tag } from './pages.mjs'

const live = (world, options, ...more) => html(...more, snippet(world.origin), init(options), push('trackDecision', decision()), tag())
const withOptimizely = (world, options = {}, config = {}) =>
  html(script('window.optimizely=window.optimizely||[]'), snippet(world.origin), init(options), '<script src="/dist/decision-bridge.js"></script>', optimizelyConfig({ campaigns: [abTest()], ...config }),
    script(`(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);
      const client=document.createElement('script');client.src='/demo/optimizely-stand-in.js';document.head.append(client)})()`))

async function dropped(world, tab, verdict, signal) {
  await world.counted(tab, verdict)
  await world.delivered(tab, 0)
  const report = await world.diagnose(tab)
  if (signal) {
    assert.match(String(report.signals[verdict]), signal, 'the report names the signal')
    assert.match(report.decisions.at(-1).reason, signal, 'so does the decision')
  }
}

story('a forced variation (optimizely_x): preview, though the event fires', async (world) => {
  world.server.pages.set('/', withOptimizely(world))
  const tab = await world.open('/?optimizely_x=9202')
  await dropped(world, tab, 'preview')
})

story('a forced variation that only its reason betrays', async (world) => {
  // The preview cookie was tidied away after the client had read it.
  const config = { campaigns: [abTest()] }
  const page = html(script(`document.cookie='optimizelyPreview='+encodeURIComponent('{"forceVariationIds":["9202"]}')+'; path=/'`), optimizely(config), script(`document.cookie='optimizelyPreview=; path=/; max-age=0'`), snippet(world.origin), init(), tag())
  const tab = await world.open('/', page)
  await dropped(world, tab, 'preview')
  assert.match((await world.diagnose(tab)).decisions.at(-1).reason, /force/)
})

story('a forced variation through the analytics callback alone: Optimizely does not call it', async (world) => {
  world.server.pages.set('/', withOptimizely(world, { sources: [] }, { integration: integration() }))
  const tab = await world.open('/?optimizely_x=9202')
  await until(() => tab.evaluate(() => window.optimizelyStandIn.log?.some((line) => line.step === 'campaignDecided')), 'Optimizely has decided')
  await world.delivered(tab, 0)
})

for (const [name, query] of [
  ['optimizely_token', 'optimizely_token=abc'],
  ['optimizely_x', 'optimizely_x=123'],
  ['optimizely_x_audiences', 'optimizely_x_audiences=1'],
  ['optimizely_preview_layer_ids', 'optimizely_preview_layer_ids=%5B%221%22%5D'],
  ['optimizely_embed_editor', 'optimizely_embed_editor=true'],
  ['optimizely_editor', 'optimizely_editor=true'],
  ['optimizely_show_preview', 'optimizely_show_preview=true'],
  ['VWO', '_vis_test_id=1&_vis_opt_preview_combination=2'],
  ['VWO', '_vis_preview_data=eyJ9'],
  ['AB Tasty', 'ab_project=preview&testId=1'],
  ['AB Tasty QA assistant', 'abtasty_qa_assistant=true'],
  ['Convert', 'convert_action=convert_vpreview&convert_e=1&convert_v=2'],
  ['Kameleoon', 'kameleoon-simulation=1'],
  ['Adobe Target', 'at_preview_token=x'],
  ['Webtrends Optimize', '_wt.mode=staging'],
  ['Amplitude', 'PREVIEW=true&flag=on'],
]) {
  story(`the address says preview: ${name} (${query})`, async (world) => {
    world.server.pages.set('/', live(world))
    const tab = await world.open(`/?utm_source=x&${query}#hash`)
    const parameter = query.split('&').map((pair) => pair.split('=')[0])
    await dropped(world, tab, 'preview', new RegExp(parameter.map((each) => each.replace('.', '\\.')).join('|')))
  })
}

for (const cookie of ['optimizelyPreview=%7B%22forceVariationIds%22%3A%5B%5D%7D', 'optimizelyToken=abc', 'debug_vis_preview_7=1', 'at_qa_mode=x', 'kameleoonSimulationParameters=x']) {
  story(`a cookie says preview: ${cookie.split('=')[0]}`, async (world) => {
    const tab = await world.open('/', live(world, {}, script(`document.cookie='${cookie}; path=/'`)))
    await dropped(world, tab, 'preview', new RegExp(cookie.split(/[=\d]/)[0]))
  })
}

story('ordinary parameters and cookies are no signal', async (world) => {
  world.server.pages.set('/', live(world, {}, script(`document.cookie='optimizelyEndUserId=oeu1; path=/';document.cookie='optimizelyOptOut=false; path=/';document.cookie='_vis_opt_s=1; path=/'`)))
  const tab = await world.open('/?optimizely_log=debug&optimizely_embed_editor=false&preview=1&qa=&_wt.mode=normal&q=optimizely_x')
  const [event] = await world.delivered(tab)
  assert.ok(!('isQa' in event.properties) && !('isPreview' in event.properties))
})

story('a preview is remembered in its tab, and in no other', async (world) => {
  world.server.pages.set('/', live(world))
  const tab = await world.open('/?optimizely_token=abc')
  await dropped(world, tab, 'preview')
  await world.open('/', undefined, tab)
  await dropped(world, tab, 'preview')
  const other = await world.open('/')
  await world.delivered(other)
})

story('a signal that the tool tidies from the address before we run is still seen', async (world) => {
  world.server.pages.set('/', live(world, {}, script(`history.replaceState({},'','/')`)))
  const tab = await world.open('/?PREVIEW=true&flag=on')
  await dropped(world, tab, 'preview')
})

for (const [preview, expected] of [['mark', { isPreview: true }], ['send', {}]]) {
  story(`preview: "${preview}"`, async (world) => {
    world.server.pages.set('/', withOptimizely(world, { preview }))
    const tab = await world.open('/?optimizely_x=9202')
    const [event] = await world.delivered(tab)
    assert.equal(event.properties.variationId, '9202')
    assert.equal(event.properties.isPreview, expected.isPreview)
  })
}

for (const config of ['the analytics callback', 'the events']) {
  story(`optimizely_force_tracking makes a forced variation QA, through ${config}`, async (world) => {
    const callback = config === 'the analytics callback'
    world.server.pages.set('/', withOptimizely(world, callback ? { sources: [] } : {}, callback ? { integration: integration() } : {}))
    const tab = await world.open('/?optimizely_x=9202&optimizely_force_tracking=true')
    const [event] = await world.delivered(tab)
    assert.deepEqual([event.properties.variationId, event.properties.isQa], ['9202', true])
    assert.match(String((await world.diagnose(tab)).signals.qa), /optimizely_force_tracking/)
  })
}

const OWN = { qaSignals: { params: ['qa', 'mode=test'], cookies: ['team', 'stage=qa'] } }
for (const [name, query, cookie, isQa] of [
  ['a parameter', '?qa', '', true],
  ['a parameter with a value', '?qa=anything', '', true],
  ['a parameter of that value', '?mode=test', '', true],
  ['a parameter of another value', '?mode=live', '', undefined],
  ['a parameter of a similar name', '?qax=1', '', undefined],
  ['a cookie', '', 'team=1', true],
  ['a cookie of that value', '', 'stage=qa', true],
  ['a cookie of another value', '', 'stage=live', undefined],
  ['nothing', '', '', undefined],
]) {
  story(`the site's own QA signal: ${name} ${query || cookie}`, async (world) => {
    world.server.pages.set('/', live(world, OWN, cookie && script(`document.cookie='${cookie}; path=/'`)))
    const tab = await world.open(`/${query}`)
    const [event] = await world.delivered(tab)
    assert.equal(event.properties.isQa, isQa)
  })
}

story('QA is remembered in its tab', async (world) => {
  world.server.pages.set('/', live(world, { ...OWN, dedupe: 'page' }))
  const tab = await world.open('/?qa=1')
  await world.delivered(tab)
  await world.open('/', undefined, tab)
  const events = await world.delivered(tab, 2)
  assert.equal(events[1].properties.isQa, true)
  const other = await world.open('/')
  assert.equal((await world.delivered(other, 3))[2].properties.isQa, undefined)
})

story('QA is remembered where consent comes later', async (world) => {
  const options = { ...OWN, dedupe: 'page', requireConsent: true }
  world.server.pages.set('/', live(world, options))
  const tab = await world.open('/?qa=1')
  await world.counted(tab, 'pending')
  await tab.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(tab)
  world.server.pages.set('/next', live(world, options, push('consent', true)))
  await world.open('/next', undefined, tab)
  const events = await world.delivered(tab, 2)
  assert.deepEqual(events.map(({ properties }) => properties.isQa), [true, true])
})

for (const [query, verdict, marks] of [
  ['?qa=1', 'delivered', [true, true]],
  ['?optimizely_x=1', 'preview', []],
]) {
  story(`what comes before consent is judged by what the tab remembers: ${query}`, async (world) => {
    const options = { ...OWN, dedupe: 'page', requireConsent: true }
    world.server.pages.set('/', live(world, options, push('consent', true)))
    world.server.pages.set('/next', live(world, options))
    const tab = await world.open('/' + query)
    await world.counted(tab, verdict)
    await world.open('/next', undefined, tab)
    await world.counted(tab, 'pending')
    await tab.evaluate(() => window.decisionBridge.consent(true))
    await world.counted(tab, verdict)
    const events = await world.delivered(tab, marks.length)
    assert.deepEqual(events.map(({ properties }) => properties.isQa), marks)
  })
}

story('qa: "drop"', async (world) => {
  world.server.pages.set('/', live(world, { ...OWN, qa: 'drop' }))
  await dropped(world, await world.open('/?qa=1'), 'qa', /qa/)
})

story('qa: "send"', async (world) => {
  world.server.pages.set('/', live(world, { ...OWN, qa: 'send' }))
  const tab = await world.open('/?qa=1')
  const [event] = await world.delivered(tab)
  assert.ok(!('isQa' in event.properties))
})
