// Exactly once: the scopes of dedupe, and the idempotency key under which a repeat is one event.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { story, until } from './harness.mjs'
import { VISITOR, decision, html, init, layerDecision, push, script, snippet, tag } from './pages.mjs'

const raw = (world) => world.server.events.filter((event) => event.event === 'Experiment Viewed')
const page = (world, options, ...decisions) =>
  html(snippet(world.origin), init(options), ...decisions.map((each) => push('trackDecision', each)), tag())
/** Delivered or told to be a duplicate: nothing is left to wait for. */
const judged = async (world, tab, count) => {
  await until(
    () => tab.evaluate((count) => {
      const counts = window.decisionBridge.diagnose?.().counts
      return counts && counts.delivered + counts.duplicate === count
    }, count).catch(() => false),
    `${count} decisions have their verdict`,
  )
  await world.settle(tab)
}

story('three views in each of two tabs give one event', async (world) => {
  const one = await world.tab()
  const two = await world.tab()
  for (const tab of [one, two]) {
    for (let view = 0; view < 3; view += 1) {
      await world.open('/', page(world, {}, decision()), tab)
      await judged(world, tab, 1)
    }
  }
  assert.equal(raw(world).length, 1)
})

story('two tabs opened at the same time count as one event', async (world) => {
  world.server.pages.set('/', html(script(`document.cookie='optimizelyEndUserId=${VISITOR}; path=/'`), snippet(world.origin), init(), push('trackDecision', decision()), tag()))
  const tabs = [await world.tab(), await world.tab()]
  await Promise.all(tabs.map((tab) => tab.goto(`${world.origin}/`)))
  for (const tab of tabs) await judged(world, tab, 1)
  assert.equal(new Set(raw(world).map((event) => event.messageId)).size, 1)
})

story('the same decision three times on a page is one event', async (world) => {
  const tab = await world.open('/', page(world, {}, decision(), decision(), decision()))
  await judged(world, tab, 3)
  assert.equal(raw(world).length, 1)
  assert.equal((await world.diagnose(tab)).counts.duplicate, 2)
})

for (const [name, cookie] of [
  ['where Optimizely knows the visitor', `document.cookie='optimizelyEndUserId=${VISITOR}'`],
  ['where nobody knows the visitor', ''],
]) {
  story(`two tabs that see nothing of each other’s storage come to one key ${name}`, async (world) => {
    const blind = script(`const{setItem}=Storage.prototype;Storage.prototype.setItem=function(name,value){if(!name.startsWith('decision-bridge'))setItem.call(this,name,value)};${cookie}`)
    for (const path of ['/one', '/two']) {
      const tab = await world.open(path, html(blind, snippet(world.origin), init({ dedupe: 'visitor' }), push('trackDecision', decision()), tag()))
      await judged(world, tab, 1)
    }
    assert.deepEqual([raw(world).length, world.exposures().length], [2, 1])
  })
}

// A browser shows each tab with a delay what the other one stored, and not always: so several times.
story('two tabs that open in the same moment for a visitor nobody knows come to one key, each time', async (world) => {
  // Not `async`: so that nothing but the network comes between the two.
  const [paths, content] = [['/one', '/two'], page(world, {}, decision()).replace('<script async', '<script')]
  let waiting = []
  for (const path of paths) {
    world.server.pages.set(path, () => new Promise((resolve) => {
      waiting.push(() => resolve(content))
      if (waiting.length === paths.length) waiting = waiting.map((serve) => serve()).slice(0, 0)
    }))
  }
  for (let time = 1; time <= 8; time += 1) {
    const visitor = await world.visitor()
    const tabs = await Promise.all(paths.map(() => visitor.tab()))
    await Promise.all(paths.map((path, at) => visitor.open(path, undefined, tabs[at])))
    for (const tab of tabs) await judged(visitor, tab, 1)
    assert.equal(world.exposures().length, time)
    await visitor.context.close()
  }
})

story('two tabs that both named the visitor come to one key', async (world) => {
  const first = await world.open('/', page(world, { dedupe: 'visitor' }))
  await world.idle(first)
  await first.evaluate((each) => {
    // As the other tab does, which opened at the same time.
    localStorage['decision-bridge/1/visitor'] = 'the name that stays'
    window.decisionBridge.trackDecision(each)
  }, decision())
  await world.delivered(first)
  await first.evaluate(() => Object.keys(localStorage).filter((name) => name.includes('/seen/')).forEach((name) => localStorage.removeItem(name)))
  const second = await world.open('/', page(world, { dedupe: 'visitor' }, decision()))
  await judged(world, second, 1)
  assert.deepEqual([raw(world).length, world.exposures().length], [2, 1])
})

// Side by side, because they mostly wait for the end of a session.
describe('scopes of dedupe', { concurrency: true }, () => {
  for (const [dedupe, { twice, reload, tab: otherTab, timeout }] of Object.entries({
    page: { twice: 1, reload: 2, tab: 3, timeout: 4 },
    tab: { twice: 1, reload: 1, tab: 2, timeout: 3 },
    session: { twice: 1, reload: 1, tab: 1, timeout: 2 },
    visitor: { twice: 1, reload: 1, tab: 1, timeout: 1 },
    none: { twice: 2, reload: 4, tab: 6, timeout: 8 },
  })) {
    story(`dedupe "${dedupe}": twice on a page, a reload, another tab, after the session`, async (world) => {
      // Long enough for the stories' own steps, short enough to wait for its end.
      const options = { dedupe, sessionTimeoutMs: 8000 }
      const visit = async (tab) => {
        await world.open('/', page(world, options, decision(), decision()), tab)
        await judged(world, tab, 2)
      }
      const arrived = () => [raw(world).length, world.exposures().length]
      const first = await world.tab()
      await visit(first)
      assert.deepEqual(arrived(), [twice, twice], 'twice on a page')
      await visit(first)
      assert.deepEqual(arrived(), [reload, reload], 'after a reload')
      const second = await world.tab()
      await visit(second)
      assert.deepEqual(arrived(), [otherTab, otherTab], 'in another tab')
      await first.close()
      await second.close()
      await new Promise((elapsed) => setTimeout(elapsed, 8500))
      const third = await world.tab()
      await visit(third)
      assert.deepEqual(arrived(), [timeout, timeout], 'after the session')
    })
  }
})

story('A, B, A are three events with three messageIds', async (world) => {
  const options = { dedupe: 'visitor' }
  const tab = await world.open('/', page(world, options, decision({ variationId: 'A' }), decision({ variationId: 'B' }), decision({ variationId: 'A' }), decision({ variationId: 'A' })))
  await judged(world, tab, 4)
  assert.deepEqual(raw(world).map((event) => event.properties.variationId).sort(), ['A', 'A', 'B'])
  assert.equal(new Set(raw(world).map((event) => event.messageId)).size, 3)
  await world.open('/', page(world, options, decision({ variationId: 'A' })), tab)
  await judged(world, tab, 1)
  assert.equal(raw(world).length, 3, 'the last one is still known on the next page')
  await world.open('/', page(world, options, decision({ variationId: 'B' })), tab)
  await judged(world, tab, 1)
  assert.equal(new Set(raw(world).map((event) => event.messageId)).size, 4)
})

story('two users of one browser, and two campaigns of one experiment, are told apart', async (world) => {
  const tab = await world.open('/', page(
    world, {}, decision({ userId: 'ann' }), decision({ userId: 'bob' }), decision({ userId: 'ann' }),
    decision({ userId: 'ann', campaignId: 'c1' }), decision({ userId: 'ann', campaignId: 'c2' }), decision({ userId: 'bob', campaignId: 'c2' }),
  ))
  await judged(world, tab, 6)
  assert.equal(raw(world).length, 5)
  assert.equal(world.exposures().length, 5, 'each has a messageId of its own')
})

story('ids that hold what may divide them are told apart', async (world) => {
  const dividers = ['', ':', '|', '/', ',', ' ', '"', '1:', '\u0000', '\u001f']
  const decisions = dividers.flatMap((divider) => [
    { campaignId: `a${divider}b`, experimentId: 'c' }, { campaignId: 'a', experimentId: `b${divider}c` },
    { experimentId: `${divider}e${divider}u` }, { experimentId: `${divider}e`, userId: 'u' },
  ])
  const tab = await world.open('/', page(world, {}, ...decisions.map(decision)))
  await judged(world, tab, decisions.length)
  assert.equal(raw(world).length, decisions.length)
  assert.equal(world.exposures().length, decisions.length, 'each has a messageId of its own')
})

story('a change of the holdback is a change', async (world) => {
  const options = { holdback: 'send' }
  const tab = await world.open('/', page(world, options, decision({ isHoldback: false }), decision({ isHoldback: true }), decision({ isHoldback: true })))
  await judged(world, tab, 3)
  assert.equal(world.exposures().length, 2)
})

story('two visitors never share a messageId; the same visitor and decision do', async (world) => {
  const as = (visitorId) => html(snippet(world.origin), init({ dedupe: 'visitor' }), push('trackLayerDecision', layerDecision({ decisionData: { visitorId, projectId: '21' } })), tag())
  const ids = []
  for (const visitorId of [VISITOR, VISITOR, 'oeu2']) {
    const visitor = await world.visitor()
    await judged(visitor, await visitor.open('/', as(visitorId)), 1)
    ids.push(raw(world).at(-1).messageId)
  }
  assert.equal(ids[0], ids[1])
  assert.notEqual(ids[0], ids[2])
})

story('two visitors without any id of an experiment tool do not share a messageId', async (world) => {
  for (let each = 0; each < 2; each += 1) {
    const visitor = await world.visitor()
    await judged(visitor, await visitor.open('/', page(world, { dedupe: 'visitor' }, decision())), 1)
  }
  assert.equal(new Set(raw(world).map((event) => event.messageId)).size, 2)
})

const BLOCKED = `for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError') }})`
const FULL = `Storage.prototype.setItem = function () { throw new DOMException('full', 'QuotaExceededError') }`
const SILENT = `Storage.prototype.setItem = function () {}`
for (const [name, code] of [['throws', BLOCKED], ['is full', FULL], ['forgets in silence', SILENT]]) {
  story(`storage ${name}: the page still tells each decision once, and the report warns`, async (world) => {
    // Not Segment's own: analytics.js itself does not start where storage is full.
    const library = script(`window.told=[];window.analytics={track:(name,properties)=>told.push(properties.experimentId)}`)
    const theirs = `localStorage.setItem('cart','3');`
    const tab = await world.open('/', html(script(theirs + code), library, init({ destinations: ['segment'] }), push('trackDecision', decision()), push('trackDecision', decision()), push('trackDecision', decision({ experimentId: '2' })), tag()))
    await world.counted(tab, 'delivered', 2)
    await world.counted(tab, 'duplicate')
    // Where nothing waits any more, for no other destination either, only what is remembered tells.
    await tab.evaluate((each) => window.decisionBridge.trackDecision(each), decision())
    await world.counted(tab, 'duplicate', 2)
    assert.deepEqual(await tab.evaluate(() => window.told), ['100', '2'])
    if (code !== BLOCKED) assert.equal(await tab.evaluate(() => localStorage.getItem('cart')), '3', 'no room is made of what is not ours')
    assert.ok((await world.diagnose(tab)).warnings.some(({ message }) => /storage/i.test(message)), 'the report warns')
  })
}

story('what another script wrote into our storage does no harm', async (world) => {
  const tab = await world.open('/', page(world, {}, decision()))
  await judged(world, tab, 1)
  for (const poison of ['', 'null', '{"__proto__":{"polluted":1}}', '[[[[[[', '\u0000', 'x'.repeat(100_000)]) {
    await tab.evaluate((poison) => {
      for (const storage of [localStorage, sessionStorage]) {
        for (const key of Object.keys(storage)) if (!/^(ajs|persisted|analytics)/.test(key)) storage.setItem(key, poison)
      }
    }, poison)
    const experimentId = `after ${poison.slice(0, 5)}${poison.length}`
    await world.open('/', page(world, {}, decision({ experimentId })), tab)
    await judged(world, tab, 1)
    assert.ok(raw(world).some((event) => event.properties.experimentId === experimentId))
  }
})

story('no key of the page’s own storage is touched', async (world) => {
  const tab = await world.open('/', html(script(`localStorage.setItem('cart','3');sessionStorage.setItem('step','2')`), snippet(world.origin), init(), push('trackDecision', decision()), tag()))
  await judged(world, tab, 1)
  assert.deepEqual(await tab.evaluate(() => [localStorage.getItem('cart'), sessionStorage.getItem('step')]), ['3', '2'])
})

story('what a decision writes down does not grow with how many came before', async (world) => {
  const tab = await world.open('/', html(script('window.analytics={track(){}}'), init(), tag()))
  await world.idle(tab)
  const costs = await tab.evaluate(() => {
    let written
    const { setItem } = Storage.prototype
    Storage.prototype.setItem = function (name, entry) {
      // The session is written down every now and then.
      if (!name.endsWith('/session')) written += name.length + entry.length
      return setItem.call(this, name, entry)
    }
    return Array.from({ length: 200 }, (_, n) => {
      written = 0
      window.decisionBridge.trackDecision({ experimentId: 1000 + n, variationId: 'v' })
      return written
    })
  })
  assert.ok(costs[0] > 0)
  assert.equal(Math.max(...costs), costs[0], 'none writes more than the first')
})

story('ten thousand decisions of one page are all told, once', async (world) => {
  const tab = await world.open('/', html(init(), tag()))
  await world.idle(tab)
  const [calls, distinct] = await tab.evaluate(async () => {
    const told = []
    window.analytics = { track: (name, properties, options) => told.push(options.messageId) }
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 10_000; n += 1) {
        window.decisionBridge.trackDecision({ experimentId: n, variationId: 1 })
        // In one task only so much is handed over, and only 1000 wait.
        if (n % 100 === 99) await new Promise((next) => setTimeout(next))
      }
    }
    const all = () => {
      const { counts } = window.decisionBridge.diagnose()
      return counts.pending === 0
    }
    while (!all()) await new Promise((next) => setTimeout(next, 20))
    return [told.length, new Set(told).size]
  })
  assert.equal(calls, distinct)
  const { counts } = await world.diagnose(tab)
  assert.deepEqual([counts.delivered, counts.duplicate, calls], [10_000, 10_000, 10_000], JSON.stringify(counts))
})
