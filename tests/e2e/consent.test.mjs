// requireConsent: hold everything, store nothing, until the visitor agrees.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, snippetCode, tag } from './pages.mjs'

const HOLDING = { requireConsent: true }
/** What is stored by anybody but analytics.js. */
const stored = (page) =>
  page.evaluate(() => [
    ...[localStorage, sessionStorage].flatMap((storage) => Object.keys(storage)),
    ...document.cookie.split('; ').filter(Boolean).map((pair) => pair.split('=')[0]),
  ].filter((name) => !/^(ajs_|persisted-queue|analytics_session)/.test(name)))
// What is told, in order: over the line each event goes alone, and may overtake others.
const heard = script(`window.told=[];analytics.on('track',(name,{experimentId,variationId})=>variationId&&told.push(experimentId+' '+variationId))`)
const told = (page) => page.evaluate(() => window.told)
const held = (world, options = HOLDING, ...parts) => html(snippet(world.origin), init(options), ...parts, push('trackDecision', decision()), tag())

story('before the answer nothing is sent and nothing stored; then it goes out with the time of the decision', async (world) => {
  const page = await world.open('/', held(world))
  await world.counted(page, 'pending')
  const before = Date.now()
  await world.delivered(page, 0)
  assert.deepEqual(await stored(page), [])
  await page.waitForTimeout(50)
  await page.evaluate(() => window.decisionBridge.consent(true))
  const [event] = await world.delivered(page)
  assert.ok(Date.parse(event.timestamp) <= before)
  await world.open('/second', held(world, HOLDING, push('consent', true)), page)
  await world.counted(page, 'duplicate')
})

story('consent that was pushed before we loaded', async (world) => {
  const page = await world.open('/', held(world, HOLDING, push('consent', true)))
  await world.delivered(page)
})

story('consent refused: what is held is forgotten, for good', async (world) => {
  const page = await world.open('/', held(world))
  await world.counted(page, 'pending')
  await page.evaluate(() => window.decisionBridge.consent(false))
  await world.counted(page, 'no-consent')
  await page.evaluate(() => window.decisionBridge.trackDecision({ experimentId: 'meanwhile', variationId: 'v' }))
  await world.counted(page, 'no-consent', 2)
  await world.delivered(page, 0)
  assert.deepEqual(await stored(page), [])
  await page.evaluate(() => {
    window.decisionBridge.consent(true)
    window.decisionBridge.trackDecision({ experimentId: 'after', variationId: 'v' })
  })
  const [event] = await world.delivered(page)
  assert.equal(event.properties.experimentId, 'after')
})

for (const [when, options] of [
  ['come before our script', {}],
  ['wait for the visitor to agree', HOLDING],
]) {
  story(`a variation and a change that ${when}: the names of the one are not put on the other`, async (world) => {
    const alpha = push('trackDecision', decision({ variationId: 'a', variationName: 'Alpha' }))
    const page = await world.open('/', html(snippet(world.origin), init({ destinations: ['segment'] }), alpha, tag()))
    await world.delivered(page)
    await world.open('/second', html(snippet(world.origin), init({ ...options, destinations: ['segment'] }), alpha, push('trackDecision', decision({ variationId: 'b' })), tag()), page)
    if (options.requireConsent) await world.counted(page, 'pending', 2)
    await page.evaluate((asks) => asks && window.decisionBridge.consent(true), options.requireConsent)
    const events = await world.delivered(page, 2)
    assert.deepEqual(events.map(({ properties }) => properties.variationName), ['Alpha', 'b'])
  })
}

story('who decides in a handler of what an earlier page left is not told before what was decided earlier', async (world) => {
  const page = await world.open('/', html(init(), push('trackDecision', decision({ experimentId: 'left' })), tag()))
  await world.counted(page, 'pending')
  const change = script(`decisionBridge.push(['on','decision',({experimentId})=>experimentId==='left'&&decisionBridge.trackDecision({experimentId:'e',variationId:'v1'})])`)
  await world.open('/second', html(snippet(world.origin), heard, init(HOLDING), change, push('trackDecision', { experimentId: 'e', variationId: 'v0' }), tag()), page)
  await world.counted(page, 'pending')
  await page.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(page, 3)
  assert.deepEqual(await told(page), ['left 200', 'e v0', 'e v1'])
})

story('a handler agrees while another decision comes in: all is told in the order in which it was decided', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), heard, init(HOLDING), push('trackDecision', decision({ variationId: 'a' })), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => {
    const { decisionBridge } = window
    decisionBridge.on('decision', ({ variationId }) => {
      if (variationId !== 'b') return
      decisionBridge.trackDecision({ experimentId: '100', variationId: 'c' })
      decisionBridge.consent(true)
    })
    decisionBridge.trackDecision({ experimentId: '100', variationId: 'b' })
  })
  await world.delivered(page, 3)
  assert.deepEqual(await told(page), ['100 a', '100 b', '100 c'])
})

story('what an earlier page left is refused in the handler that hears of it: a later agreement does not bring it back', async (world) => {
  const page = await world.open('/', html(init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  const refusal = script(`decisionBridge.push(['on','decision',()=>decisionBridge.consent(false)])`)
  await world.open('/second', html(snippet(world.origin), init(HOLDING), refusal, push('consent', true), tag()), page)
  await world.counted(page, 'no-consent')
  await page.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(page, 0)
})

// A visitor who answers when there is no room for one more.
const ROOM = 1000
const answers = async (world, granted) => {
  const page = await world.open('/', html(script('window.told=0;window.analytics={track(){told++}}'), init(HOLDING), tag()))
  await world.counted(page, 'pending', 0)
  await page.evaluate(([ROOM, granted]) => {
    const decide = (experimentId) => window.decisionBridge.trackDecision({ experimentId, variationId: 'v' })
    for (let n = 0; n <= ROOM; n += 1) decide(`e${n}`)
    window.decisionBridge.on('dropped', () => window.decisionBridge.consent(granted))
    decide('one more')
  }, [ROOM, granted])
  return page
}

story('the answer comes from a handler of what there was no room for: all that is held is told', async (world) => {
  const page = await answers(world, true)
  await world.counted(page, 'delivered', ROOM)
  assert.equal(await page.evaluate(() => window.told), ROOM)
})

story('consent withdrawn in a handler of what there was no room for: all that waits is forgotten', async (world) => {
  const page = await world.open('/', html(init({ ...HOLDING, maxWaitMs: 50 }), push('consent', true), tag()))
  await world.counted(page, 'pending', 0)
  await page.evaluate(async (ROOM) => {
    const { decisionBridge } = window
    const decide = (experimentId) => decisionBridge.trackDecision({ experimentId, variationId: 'v' })
    for (let n = 0; n < ROOM; n += 1) decide(`e${n}`)
    // Nothing is looked for any more, and the next one is told that there is no room.
    await new Promise((done) => setTimeout(done, 1000))
    decide('too many')
    decisionBridge.on('dropped', () => decisionBridge.consent(false))
    decide('one more')
  }, ROOM)
  await world.counted(page, 'no-consent', ROOM)
  await world.counted(page, 'pending', 0)
})

story('refused, and agreed again in the handler that hears of it: what comes then is remembered', async (world) => {
  const page = await world.open('/', html(init(HOLDING), push('consent', true), push('trackDecision', decision({ experimentId: 'refused' })), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => {
    window.decisionBridge.on('dropped', () => window.decisionBridge.consent(true))
    window.decisionBridge.consent(false)
    window.decisionBridge.trackDecision({ experimentId: '100', variationId: '200' })
  })
  await world.counted(page, 'pending')
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  const [event] = await world.delivered(page)
  assert.equal(event.properties.experimentId, '100')
})

story('consent withdrawn after a delivery: what we stored is removed', async (world) => {
  const page = await world.open('/', held(world, HOLDING, push('consent', true)))
  await world.delivered(page)
  await page.evaluate(() => window.decisionBridge.consent(false))
  await until(async () => (await stored(page)).length === 0, 'our storage is empty')
})

story('consent withdrawn in one tab: another one, which was not told, does not write the visitor’s name again', async (world) => {
  const options = { ...HOLDING, dedupe: 'visitor' }
  const tabs = []
  for (const path of ['/one', '/two']) tabs.push(await world.open(path, held(world, options, push('consent', true))))
  for (const tab of tabs) await world.idle(tab)
  await tabs[0].evaluate(() => window.decisionBridge.consent(false))
  await tabs[1].evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await world.idle(tabs[1])
  const left = await tabs[1].evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge')))
  assert.deepEqual(left, [])
})

story('consent withdrawn before we run: nothing stays of what was opened in between', async (world) => {
  // The handler runs with what was pushed: no core is there yet that could empty storage later.
  const look = script(`decisionBridge.push(['on','decision',()=>{window.now=[...Object.keys(localStorage),document.cookie].join()}])`)
  const page = await world.open('/', html(snippet(world.origin), init(HOLDING), push('consent', true), push('consent', false), look, push('trackDecision', decision()), '<script src="/dist/decision-bridge.js"></script>'))
  const now = await page.evaluate(() => window.now)
  assert.equal(typeof now, 'string')
  assert.doesNotMatch(now, /decision-bridge/)
  await world.idle(page)
  assert.deepEqual(await stored(page), [])
})

story('consent withdrawn while a decision waits for analytics: it never leaves, not on the next page either', async (world) => {
  const page = await world.open('/', html(init(HOLDING), push('consent', true), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => window.decisionBridge.consent(false))
  await page.addScriptTag({ content: snippetCode(world.origin) })
  await world.delivered(page, 0)
  await world.open('/second', html(snippet(world.origin), init(HOLDING), push('consent', true), tag()), page)
  await world.delivered(page, 0)
})

story('consent withdrawn within `track` stops the rest at once', async (world) => {
  const analytics = script('window.told=[];window.analytics={track(name,properties){told.push(properties.experimentId);decisionBridge.consent(false)}}')
  const decisions = ['a', 'b', 'c'].map((experimentId) => push('trackDecision', decision({ experimentId })))
  const page = await world.open('/', html(analytics, init(HOLDING), ...decisions, tag()))
  await world.counted(page, 'pending', 3)
  await page.evaluate(() => window.decisionBridge.consent(true))
  await world.counted(page, 'no-consent', 3)
  await world.idle(page)
  assert.deepEqual([await page.evaluate(() => window.told), await stored(page)], [['a'], []])
})

story('consent withdrawn while hundreds are being written down: storage is empty at once, and stays so', async (world) => {
  const analytics = script('window.analytics={track(){}}')
  const page = await world.open('/', html(analytics, init(HOLDING), tag()))
  await world.idle(page)
  await page.evaluate(() => {
    for (let n = 0; n < 600; n += 1) window.decisionBridge.trackDecision({ experimentId: n, variationId: 'v' })
  })
  await world.counted(page, 'pending', 600)
  const [before, after] = await page.evaluate(() => {
    const ours = () => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge'))
    window.decisionBridge.consent(true)
    const before = ours()
    window.decisionBridge.consent(false)
    const { setItem } = Storage.prototype
    window.written = []
    Storage.prototype.setItem = function (name, entry) {
      window.written.push(name)
      return setItem.call(this, name, entry)
    }
    return [before, ours()]
  })
  assert.ok(before.length > 0)
  assert.deepEqual(after, [])
  await world.counted(page, 'pending', 0)
  await world.idle(page)
  assert.deepEqual([await page.evaluate(() => window.written), await stored(page)], [[], []])
})

story('held decisions are not carried to the next page: that would be storing', async (world) => {
  const page = await world.open('/', held(world))
  await world.counted(page, 'pending')
  await world.open('/second', html(snippet(world.origin), init(HOLDING), push('consent', true), tag()), page)
  await world.delivered(page, 0)
})

story('waiting for consent does not count as waiting for analytics', async (world) => {
  const page = await world.open('/', html(init({ ...HOLDING, maxWaitMs: 300 }), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  await page.waitForTimeout(700)
  await page.evaluate(() => {
    window.decisionBridge.consent(true)
    window.told = []
  })
  await page.evaluate(() => void setTimeout(() => (window.analytics = { track: (name) => window.told.push(name) }), 50))
  await until(() => page.evaluate(() => window.told.length === 1), 'it is handed over')
})

story(
  'consent that is neither true nor false is a mistake, and no consent',
  async (world) => {
    const page = await world.open('/', held(world, HOLDING, push('consent', 'yes')))
    await world.counted(page, 'pending')
    await world.delivered(page, 0)
    assert.equal(world.ours('error').length, 1)
    assert.match(world.ours('error')[0].text, /consent/)
  },
  { errors: true },
)
