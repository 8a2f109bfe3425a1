// diagnose() and on(): every decision leaves a trace that a person can read.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { story, until } from './harness.mjs'
import { abTest, decision, html, init, integration, layerDecision, optimizely, push, script, snippet, tag } from './pages.mjs'

const VERDICTS = ['delivered', 'duplicate', 'not-an-exposure', 'holdback', 'preview', 'qa', 'no-consent', 'invalid', 'expired', 'pending']

story(
  'each decision ends in exactly one verdict, and each is counted',
  async (world) => {
    const page = await world.open('/', html(
      snippet(world.origin), init(), push('trackDecision', decision()), push('trackDecision', decision()), push('trackDecision', { experimentId: 'e' }),
      push('trackLayerDecision', layerDecision({ variationId: null })), push('trackLayerDecision', layerDecision({ isHoldback: true, campaign: { id: '11', policy: 'single_experiment' } })), push('trackDecision', { variationId: 'v' }), tag(),
    ))
    await world.delivered(page)
    const { counts, decisions } = await world.diagnose(page)
    assert.deepEqual(Object.keys(counts).sort(), [...VERDICTS].sort())
    const expected = { delivered: 1, duplicate: 1, 'not-an-exposure': 2, holdback: 1, invalid: 1 }
    assert.deepEqual(counts, Object.fromEntries(Object.keys(counts).map((verdict) => [verdict, expected[verdict] ?? 0])))
    assert.equal(decisions.length, 6)
    for (const each of decisions) {
      assert.ok(VERDICTS.includes(each.verdict), each.verdict)
      assert.ok(each.steps.length >= 1)
      for (const step of each.steps) assert.ok(Math.abs(step.at - Date.now()) < 600_000 && step.step.length > 3, JSON.stringify(step))
      if (each.verdict !== 'delivered') assert.ok(each.reason, `${each.verdict} has a reason`)
    }
  },
  { errors: true },
)

story('the steps of a decision tell its way: stub, real tool, took charge', async (world) => {
  const page = await world.open('/', html(snippet(world.origin, { cdn: '/cdn/delay-500' }), init(), push('trackDecision', decision()), tag()))
  await world.delivered(page)
  const [{ steps }] = (await world.diagnose(page)).decisions
  const text = steps.map((step) => step.step).join(' | ')
  assert.match(text, /stub/)
  assert.ok(steps.every((step, index) => index === 0 || step.at >= steps[index - 1].at), 'in order of time')
})

story('the report has everything a support ticket needs, and no secret', async (world) => {
  const page = await world.open('/', html(
    optimizely({ campaigns: [abTest()], integration: integration() }), snippet(world.origin), init({ writeKey: 'a_secret_write_key', eventName: 'Seen' }), tag(),
  ))
  await world.delivered(page, 1, { name: 'Seen' })
  const { report, clone } = await page.evaluate(() => {
    const report = window.decisionBridge.diagnose()
    return { report, clone: JSON.parse(JSON.stringify(structuredClone(report))) }
  })
  assert.deepEqual(report, clone, 'a plain object')
  for (const field of ['version', 'options', 'destinations', 'sources', 'signals', 'counts', 'decisions', 'ids', 'warnings', 'errors']) assert.ok(field in report, field)
  assert.equal(report.options.eventName, 'Seen')
  assert.equal(report.options.maxWaitMs, 5000)
  assert.deepEqual(report.destinations.map(({ name, state }) => [name, state]), [['segment', 'ready']])
  assert.deepEqual(report.sources, [{ name: 'optimizelyWeb', found: 'window.optimizely', hooked: 'campaignDecided' }])
  assert.ok(!JSON.stringify(report).includes('a_secret_write_key'), 'the write key is shortened')
  const anonymousId = await page.evaluate(() => window.analytics.user().anonymousId())
  assert.equal(report.ids.anonymousId, anonymousId)
  assert.match(report.ids.visitorId, /^oeu/)
  assert.ok(report.warnings.some(({ message }) => /both|twice/i.test(message)), 'it warns that both entrances are active')
})

story('the report warns when Segment’s own Optimizely destination sends too', async (world) => {
  const page = await world.open('/', html(script('window.optimizelyIntegration=function(){}'), snippet(world.origin), init(), push('trackDecision', decision()), tag()))
  const told = () => world.ours('warning').filter(({ text }) => /Optimizely destination.*switch it off/.test(text))
  // Before anybody asks for the report, which looks as well.
  await until(() => told().length, 'the console says so, without being asked')
  await world.delivered(page)
  await page.evaluate((each) => window.decisionBridge.trackDecision(each), decision({ experimentId: 'another' }))
  await world.delivered(page, 2)
  assert.ok((await world.diagnose(page)).warnings.some(({ message }) => /Optimizely destination/.test(message)))
  assert.equal(told().length, 1)
})

story('the report warns when Segment’s own Optimizely destination is among the plugins of analytics.js', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), push('trackDecision', decision()), tag()))
  await world.delivered(page)
  const warned = async () => (await world.diagnose(page)).warnings.some(({ message }) => /Optimizely destination/.test(message))
  assert.equal(await warned(), false)
  await page.evaluate(async () => {
    await window.analytics.register({ name: 'Optimizely', type: 'destination', version: '1', isLoaded: () => true, load: () => Promise.resolve() })
  })
  assert.equal(await warned(), true)
})

story('both entrances of one tool are named on the console once, with what to switch off', async (world) => {
  const both = optimizely({ campaigns: [abTest()], pages: [{ id: '1', apiName: 'view' }], integration: integration() })
  await world.delivered(await world.open('/', html(both, snippet(world.origin), init(), tag())))
  const told = world.ours('warning').filter(({ text }) => /both/.test(text))
  assert.equal(told.length, 1)
  assert.match(told[0].text, /decisions of optimizelyWeb .* switch the calls off/)
  const other = await world.visitor()
  await other.delivered(await other.open('/one', html(optimizely({ visitorId: 'oeu2', campaigns: [abTest()], pages: [{ id: '1', apiName: 'view' }] }), snippet(world.origin), init(), tag())), 2)
  assert.deepEqual(other.ours('warning').filter(({ text }) => /both/.test(text)), [], 'one entrance is as it should be')
})

story('destinations are missing, stub, ready', async (world) => {
  const states = []
  const page = await world.open('/', html(init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  const look = async () => states.push((await world.diagnose(page)).destinations[0].state)
  await look()
  await page.evaluate(() => {
    window.analytics = []
    window.analytics.track = function (...args) {
      window.analytics.push(['track', ...args])
    }
    window.decisionBridge.flush()
  })
  await look()
  await page.evaluate(() => {
    window.analytics = { track() {} }
    window.decisionBridge.flush()
  })
  await look()
  assert.deepEqual(states, ['missing', 'stub', 'ready'])
})

story('the last 50 decisions are told, all are counted', async (world) => {
  const page = await world.open('/', html(script('window.analytics={track(){}}'), init(), tag()))
  await world.idle(page)
  await page.evaluate(() => {
    for (let n = 0; n < 120; n += 1) window.decisionBridge.trackDecision({ experimentId: `e${n}`, variationId: 'v' })
  })
  await world.counted(page, 'delivered', 120)
  const { decisions } = await world.diagnose(page)
  assert.equal(decisions.length, 50)
  assert.deepEqual([decisions[0].experimentId, decisions[49].experimentId], ['e70', 'e119'])
  const warnings = world.ours('warning')
  assert.ok(warnings.length <= 5, `a page with many decisions is not flooded: ${warnings.length} warnings`)
})

story('on(): each event with what happened, until unsubscribed', async (world) => {
  const page = await world.open('/', html(
    script(`window.heard=[];window.decisionBridge=[];for(const name of ['decision','delivered','dropped'])decisionBridge.push(['on',name,(told)=>heard.push([name,told.experimentId,told.verdict])])`),
    snippet(world.origin), init(), push('trackDecision', decision()), push('trackDecision', decision()), tag(),
  ))
  await world.delivered(page)
  await world.counted(page, 'delivered')
  const heard = await page.evaluate(() => window.heard)
  assert.deepEqual(heard.filter(([name]) => name === 'decision').length, 2)
  assert.deepEqual(heard.filter(([name]) => name === 'delivered'), [['delivered', '100', 'delivered']])
  assert.deepEqual(heard.filter(([name]) => name === 'dropped'), [['dropped', '100', 'duplicate']])
  const after = await page.evaluate(async () => {
    const late = []
    const off = window.decisionBridge.on('decision', () => late.push(1))
    window.decisionBridge.trackDecision({ experimentId: 'x', variationId: 'v' })
    off()
    off()
    window.decisionBridge.trackDecision({ experimentId: 'y', variationId: 'v' })
    return late.length
  })
  assert.equal(after, 1)
})

story(
  'a handler that throws, or calls us back, harms nobody',
  async (world) => {
    const page = await world.open('/', html(
      script(`window.heard=0;window.decisionBridge=[['on','decision',()=>{throw new Error('theirs')}],['on','decision',(told)=>{heard++;decisionBridge.diagnose();if(heard===1)decisionBridge.trackDecision({experimentId:'nested',variationId:'v'})}],['on','delivered',()=>decisionBridge.flush()]]`),
      snippet(world.origin), init(), push('trackDecision', decision()), tag(),
    ))
    await world.delivered(page, 2)
    assert.equal(await page.evaluate(() => window.heard), 2)
  },
  { errors: true },
)

for (const [call, options] of [['flush()', {}], ['flush()', { dedupe: 'none' }], ['consent(true)', { requireConsent: true }]]) {
  story(`a handler that calls ${call} when a decision comes in, with ${JSON.stringify(options)}: it is told once`, async (world) => {
    const page = await world.open('/', html(script(`window.told=0;window.decisionBridge=[['on','decision',()=>decisionBridge.${call}],['on','error',()=>decisionBridge.${call}]]`), init(options), tag()))
    await until(async () => (await world.diagnose(page)).state === 'running', 'it runs')
    await page.evaluate((each) => {
      window.analytics = { track: () => void window.told++ }
      window.decisionBridge.trackDecision(each)
      window.decisionBridge.trackDecision({ variationId: 'v' })
    }, decision())
    await world.counted(page, 'delivered')
    const { counts } = await world.diagnose(page)
    assert.deepEqual([await page.evaluate(() => window.told), counts.pending, counts.delivered, counts.duplicate, counts.invalid], [1, 0, 1, 0, 1])
  }, { errors: true })
}

story(
  'on() with an unknown event, or without a handler, is a mistake',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init(), push('on', 'delivery', () => {}), push('on', 'decision'), push('attach', 'nope'), tag(), push('trackDecision', decision())))
    await world.delivered(page)
    const said = world.ours('error').map((line) => line.text)
    assert.equal(said.length, 3, said.join('\n'))
    assert.match(said[0], /on.*delivery/)
    assert.match(said[1], /on.*function/)
    assert.match(said[2], /attach.*nope/)
    assert.equal(typeof (await page.evaluate(() => typeof window.decisionBridge.on('nope'))), 'string')
    assert.equal(await page.evaluate(() => typeof window.decisionBridge.attach('nope')), 'function')
  },
  { errors: true },
)

story(
  'attach names what it does not know, and what is no client',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init(), push('attach', 'statsik'), push('attach', 'optimizelyWeb', null), tag(), push('trackDecision', decision())))
    await world.delivered(page)
    const errors = world.ours('error').map((line) => line.text)
    assert.equal(errors.length, 2)
    assert.match(errors[0], /attach `argument 1` is "statsik", must be "optimizelyWeb"/)
    assert.match(errors[1], /attach `argument 2` is null, must be window\.optimizely/)
  },
  { errors: true },
)

story('attach("optimizelyWeb") hooks, and detaches', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ sources: [] }), tag(), optimizely({ campaigns: [abTest()], pages: [{ id: '1', apiName: 'view', trigger: 'manual' }] })))
  await world.idle(page)
  await page.evaluate(() => {
    window.detach = window.decisionBridge.attach('optimizelyWeb')
    window.optimizely.push({ type: 'page', pageName: 'view' })
  })
  await world.delivered(page)
  await page.evaluate(() => {
    window.detach()
    window.optimizelyStandIn.decide = () => ({ variationId: '9202' })
    window.optimizely.push({ type: 'page', pageName: 'view' })
  })
  await world.delivered(page)
})

story('debug: true logs each step; without it the console is quiet', async (world) => {
  const named = decision({ experimentName: 'E', variationName: 'V' })
  const loud = await world.open('/', html(snippet(world.origin), init({ debug: true }), push('trackDecision', named), tag()))
  await world.delivered(loud)
  assert.ok(world.ours('log').length + world.ours('debug').length + world.ours('info').length >= 2)
  const visitor = await world.visitor()
  const quiet = await visitor.open('/quiet', html(snippet(world.origin), init(), push('trackDecision', named), tag()))
  await visitor.delivered(quiet, 2)
  assert.deepEqual(visitor.ours(), [])
})

story('the version is a string, the same everywhere', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), tag()))
  await world.idle(page)
  const version = await page.evaluate(() => window.decisionBridge.version)
  assert.match(version, /^\d+\.\d+\.\d+/)
  assert.equal((await world.diagnose(page)).version, version)
  const cargo = readFileSync(new URL('../../Cargo.toml', import.meta.url), 'utf8')
  assert.ok(cargo.includes(`version = "${version}"`))
})
