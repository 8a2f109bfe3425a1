// The life of a page: prerendered, hidden, cached, left, closed, killed; and what happens to time.
// tests/FAULTS.md, sections D and E, says which fault each of these stories is about.

import assert from 'node:assert/strict'
import { driven, telling } from './driven.mjs'
import { WHOLE, program } from '../chromium.mjs'
import { FALLBACK, launch, story, until } from './harness.mjs'
import { memorySpy, moduleMemory } from './memory.mjs'
import { decision, html, init, push, script, snippet, snippetCode, tag } from './pages.mjs'

// Playwright turns the cache off.
launch.ignoreDefaultArgs = ['--disable-back-forward-cache']
launch.executablePath = program('CHROMIUM', WHOLE)

const BOTH = ['chromium', 'firefox']
/** With `no-store`, as the server sends it otherwise, no browser keeps a page. */
const cacheable = (html) => ({ html, headers: { 'cache-control': 'no-cache' } })
const keys = `Object.keys(localStorage).concat(Object.keys(sessionStorage)).filter((name)=>name.startsWith('decision-bridge'))`
/** Analytics that tells the server of each call. */
const recorder = `window.analytics={track:(name,properties)=>void tell('track',properties.experimentId)}`
const waits = `const pending=()=>window.decisionBridge.diagnose?.().counts.pending;
const once=(condition,then)=>{const id=setInterval(()=>{if(condition()){clearInterval(id);then()}},20)};`

// A page that drives itself

driven('a page that waits rests in the back-forward cache, and the time away is not waited', BOTH, async ({ server, told, hears, open }) => {
  server.pages.set('/start', cacheable(html(telling, script(`${waits}
    addEventListener('pageshow',({persisted})=>{if(!persisted)return;tell('restored',true);setTimeout(()=>{${recorder}},200)})
    once(()=>pending()===1&&document.readyState==='complete',()=>setTimeout(()=>{location.href='/away'},300))`), init({ maxWaitMs: 5000 }), push('trackDecision', decision()), tag())))
  server.pages.set('/away', cacheable(html(telling, script(`addEventListener('load',()=>setTimeout(()=>history.back(),6000))`))))
  await open('/start')
  await hears('restored')
  await hears('track')
  assert.deepEqual(told('track'), ['100'])
})

const prerendering = (shown) => html(
  telling,
  script(`${waits}${recorder};const track=analytics.track;analytics.track=(name,properties)=>{tell('while prerendering',document.prerendering);track(name,properties)}
    ${shown ? 'delete window.analytics;' : ''}
    const early=()=>{if(document.prerendering&&pending()===1)return tell('prerendered',${keys});if(document.prerendering)setTimeout(early,50)};addEventListener('load',early)
    document.addEventListener('prerenderingchange',()=>setTimeout(()=>{window.analytics={track};once(()=>pending()===0,()=>tell('stored',${keys}))},300))`),
  init({ maxWaitMs: 1000 }), push('trackDecision', decision()), tag(),
)
const rules = '<script type="speculationrules">{"prerender":[{"urls":["/prerendered"],"eagerness":"immediate"}]}</script>'

driven('a page that is prerendered sends nothing, stores nothing and waits for nothing until it is shown', ['chromium'], async ({ server, told, hears, open }) => {
  server.pages.set('/prerendered', cacheable(prerendering(true)))
  server.pages.set('/start', cacheable(html(telling, rules, script(`addEventListener('message',()=>{});
    setInterval(()=>fetch('/go').then((answer)=>answer.ok&&(location.href='/prerendered')),200)`))))
  await open('/start')
  assert.deepEqual(await hears('prerendered'), [[]], 'nothing is stored')
  // Longer than the wait: it has not begun.
  await new Promise((passed) => setTimeout(passed, 2500))
  assert.deepEqual(told('track'), [])
  server.pages.set('/go', 'now')
  await hears('track')
  const [stored] = await hears('stored')
  assert.ok(stored.length > 0, 'now it is stored')
  assert.deepEqual(told('track'), ['100'])
})

driven('a page that is prerendered and never shown tells and leaves nothing', ['chromium'], async ({ server, told, hears, open }) => {
  server.pages.set('/prerendered', cacheable(prerendering(false)))
  server.pages.set('/other', html(telling, script(`tell('left behind',${keys})`)))
  server.pages.set('/start', cacheable(html(telling, rules, script(`setInterval(()=>fetch('/go').then((answer)=>answer.ok&&(location.href='/other')),200)`))))
  await open('/start')
  await hears('prerendered')
  server.pages.set('/go', 'now')
  assert.deepEqual(await hears('left behind'), [[]])
  assert.deepEqual([told('track'), told('while prerendering')], [[], []])
})

driven('in a hidden tab, where timers are slow, only what the page really ran is waited', BOTH, async ({ server, told, hears, open }) => {
  server.pages.set('/start', html(telling, script(`${waits}
    document.addEventListener('visibilitychange',()=>tell('hidden',document.visibilityState))
    once(()=>pending()===1,()=>{open('/other');setTimeout(()=>{tell('analytics',document.visibilityState);${recorder}},5000)})`), init({ maxWaitMs: 4000 }), push('trackDecision', decision()), tag()))
  server.pages.set('/other', html())
  await open('/start')
  await hears('analytics')
  assert.deepEqual([told('hidden'), told('analytics')], [['hidden'], ['hidden']])
  await hears('track')
  assert.deepEqual(told('track'), ['100'])
})

driven('a redirect in the decision’s own task, without analytics: the landing page tells it once', BOTH, async ({ server, told, hears, open }) => {
  server.pages.set('/start', html(telling, script(`${waits}addEventListener('pagehide',()=>tell('left',document.visibilityState));
    once(()=>window.decisionBridge.diagnose?.().state==='running',()=>{decisionBridge.trackDecision({experimentId:'100',variationId:'1'});location.replace('/landing')})`), init(), tag()))
  server.pages.set('/landing', html(telling, script(`${recorder};${waits}once(()=>window.decisionBridge.diagnose?.().counts.delivered===1,()=>tell('delivered',${keys}.filter((name)=>name.includes('/out/'))))`), init(), tag()))
  await open('/start')
  assert.deepEqual(await hears('delivered'), [[]], 'nothing waits any more')
  // A page is still visible when it says that it is left.
  assert.deepEqual([told('left'), told('track')], [['visible'], ['100']])
})

driven('where cookies are blocked in frames of others, storage throws and a decision is told', ['firefox'], async ({ server, told, hears, open }) => {
  server.pages.set('/start', html(telling, `<iframe src="${server.origin.replace('127.0.0.1', 'localhost')}/framed" sandbox="allow-scripts"></iframe>`))
  server.pages.set('/framed', html(telling, script(`${recorder};${waits}once(()=>window.decisionBridge.diagnose?.().counts.delivered===1,()=>tell('delivered',window.decisionBridge.diagnose().warnings.map(({message})=>message)))`), init(), push('trackDecision', decision()), push('trackDecision', decision()), tag()))
  await open('/start')
  const [warnings] = await hears('delivered')
  assert.ok(warnings.some((message) => /storage/.test(message)), JSON.stringify(warnings))
  assert.deepEqual(told('track'), ['100'])
})

// Each round on a host where nobody is known. Here a tab sees late which cookies another one set; what that one stored
// it sees in time, but for a chance of about 1 in 50 where the machine is busy: what a task reads of storage stands still
// until its end. In Chromium, see once.test.mjs, it is the other way round, and no chance is left.
driven('two tabs that open in the same moment, time after time, for a visitor nobody knows: hardly ever two keys', ['firefox'], async ({ server, told, hears, open }) => {
  const { port } = new URL(server.origin)
  const rounds = 20
  const content = html(
    telling,
    script(`const round=parseInt(location.hostname.slice(1));window.analytics={track:(name,properties,{messageId})=>void tell('track',round+' '+messageId)}
      const on=()=>{const {delivered,duplicate}=window.decisionBridge?.diagnose?.().counts||{};
        if(delivered+duplicate!==1)return setTimeout(on,50);
        setTimeout(()=>round<${rounds}?location.host='r'+(round+1)+'.localhost:${port}':tell('done',true),300)}
      on()`),
    init(), push('trackDecision', decision()), tag().replace('async', ''),
  )
  let waiting = []
  for (const path of ['/one', '/two']) {
    server.pages.set(path, () => new Promise((resolve) => {
      waiting.push(() => resolve(content))
      if (waiting.length === 2) waiting = waiting.map((serve) => serve()).slice(0, 0)
    }))
  }
  await open(`http://r1.localhost:${port}/one`, `http://r1.localhost:${port}/two`)
  await hears('done', 2)
  const keys = new Set(told('track'))
  assert.equal(new Set([...keys].map(parseFloat)).size, rounds, 'each round is told')
  assert.ok(keys.size <= rounds + 1, [...keys].join())
})

// Several tabs

const waiting = (options = {}, ...parts) => html(init({ maxWaitMs: 600_000, pollIntervalMs: 60_000, ...options }), ...parts, push('trackDecision', decision()), tag())
const delivering = (world) => html(snippet(world.origin), init(), tag())
const aMinuteLater = script('const now=Date.now;Date.now=()=>now()+61000')

story('the tab is closed while a decision waits: another one takes it over at once', async (world) => {
  world.server.pages.set('/waiting', waiting())
  const opener = await world.open('/', html())
  const [tab] = await Promise.all([world.context.waitForEvent('page'), opener.evaluate(() => void window.open('/waiting'))])
  await world.counted(tab, 'pending')
  await Promise.all([tab.waitForEvent('close'), tab.evaluate(() => void setTimeout(() => window.close())).catch(() => {})])
  await world.open('/next', delivering(world), opener)
  await world.delivered(opener)
})

story('a tab that was killed said no goodbye: what it held is taken over a minute later, and not before', async (world) => {
  const dead = await world.open('/waiting', waiting())
  await world.counted(dead, 'pending')
  const session = await world.context.newCDPSession(dead)
  session.send('Page.crash').catch(() => {})
  await dead.waitForEvent('crash')
  await dead.close()
  const page = await world.open('/soon', delivering(world))
  await world.delivered(page, 0)
  await world.open('/later', html(aMinuteLater, snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})

story('what earlier pages left stands written at every moment while it is taken over: a page may be killed at any', async (world) => {
  const decisions = ['1', '2', '3'].map((experimentId) => push('trackDecision', decision({ experimentId })))
  const page = await world.open('/', html(init(), ...decisions, tag()))
  await world.counted(page, 'pending', 3)
  const watched = script(`
    window.least = Infinity
    const { removeItem } = Storage.prototype
    Storage.prototype.removeItem = function (name) {
      removeItem.call(this, name)
      const standing = Object.keys(localStorage).filter((key) => key.includes('/out/'))
      least = Math.min(least, new Set(standing.map((key) => JSON.parse(localStorage[key]).decision.experimentId)).size)
    }`)
  await world.open('/next', html(watched, init(), tag()), page)
  await world.counted(page, 'pending', 3)
  assert.equal(await page.evaluate(() => window.least), 3)
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('/out/')).length), 3, 'and nothing stands twice')
  await world.open('/last', delivering(world), page)
  await world.delivered(page, 3)
})

story('what earlier pages left stays where storage is full: the page that took it over into memory is left, too', async (world) => {
  const page = await world.open('/', html(init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  const full = script(`Storage.prototype.setItem=()=>{throw new DOMException('full','QuotaExceededError')}`)
  await world.open('/full', html(full, init(), tag()), page)
  await world.counted(page, 'pending')
  await world.open('/later', html(aMinuteLater, snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})

story('a tab that is killed while analytics is being told: what it told stands written, and is told again under the same key', async (world) => {
  const dead = await world.tab()
  const session = await world.context.newCDPSession(dead)
  const told = new Promise((resolve) => session.on('Debugger.paused', ({ callFrames }) => resolve(callFrames[0])))
  await session.send('Debugger.enable')
  world.server.pages.set('/', html(script('window.analytics={initialized:true,VERSION:"1.84.3",track(name,properties,{messageId}){debugger}}'), init(), push('trackDecision', decision()), tag()))
  dead.goto(world.origin).catch(() => {})
  const { callFrameId } = await told
  const { result } = await session.send('Debugger.evaluateOnCallFrame', { callFrameId, expression: 'messageId' })
  session.send('Page.crash').catch(() => {})
  await dead.waitForEvent('crash')
  await dead.close()
  const page = await world.open('/later', html(aMinuteLater, snippet(world.origin), init(), tag()))
  const [event] = await world.delivered(page)
  assert.equal(event.messageId, result.value)
})

story('hidden and shown again, twice, while a decision waits: one event', async (world) => {
  world.server.pages.set('/away', cacheable(html()))
  const watched = script(`window.restored=0;addEventListener('pageshow',(event)=>{restored+=event.persisted})`)
  const page = await world.open('/', cacheable(waiting({}, watched)))
  await world.counted(page, 'pending')
  for (const times of [1, 2]) {
    await page.evaluate(() => void (location.href = '/away'))
    await page.waitForURL('**/away')
    await page.evaluate(() => history.back())
    await until(() => page.evaluate((times) => window.restored === times, times).catch(() => false), 'the page is restored')
  }
  // It lives and holds what it held: nobody else takes it over.
  await world.delivered(await world.open('/beside', delivering(world)), 0)
  await page.evaluate(() => {
    window.told = []
    window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
    for (const event of ['visibilitychange', 'visibilitychange']) document.dispatchEvent(new Event(event))
    for (const event of ['pagehide', 'pageshow', 'pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(event, { persisted: true }))
  })
  await world.idle(page)
  assert.deepEqual(await page.evaluate(() => window.told), ['100'])
  await world.open('/next', delivering(world), page)
  await world.delivered(page, 0)
})

// One page

for (const [name, hours] of [['forward', 1], ['back', -1]]) {
  story(`the clock is set ${name} by an hour while a decision waits: it is neither lost nor late`, async (world) => {
    const page = await world.open('/', html(init({ pollIntervalMs: 50, maxWaitMs: 60_000 }), push('trackDecision', decision()), tag()))
    await world.counted(page, 'pending')
    await page.evaluate((hours) => {
      const now = Date.now
      Date.now = () => now() + hours * 3_600_000
    }, hours)
    await page.waitForTimeout(200)
    assert.equal((await world.diagnose(page)).counts.pending, 1)
    await page.evaluate(() => {
      window.told = []
      window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
    })
    await until(() => page.evaluate(() => window.told.length === 1), 'it is told, by the next look')
  })
}

story('a single-page application moves on while a decision waits: the event names the page it was made on', async (world) => {
  const page = await world.open('/first?token=secret#part', html(init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  const from = Date.now()
  await page.evaluate(() => {
    history.pushState(null, '', '/second?token=other')
    document.title = 'Second'
  })
  await page.addScriptTag({ content: snippetCode(world.origin) })
  const [event] = await world.delivered(page)
  assert.deepEqual([event.context.page.path, event.context.page.title, event.context.page.search], ['/first', 'A story', ''])
  assert.ok(!JSON.stringify(event).includes('secret'), 'no query, no fragment')
  assert.ok(Date.parse(event.timestamp) <= from)
})

story('more decisions than there is room for: the oldest stay, and one warning says so', async (world) => {
  const page = await world.open('/', html(init({ pollIntervalMs: 60_000 }), tag()))
  await world.idle(page).catch(() => {})
  const timers = await page.evaluate(() => {
    for (let n = 0; n < 100_000; n += 1) window.decisionBridge.trackDecision({ experimentId: `e${n}`, variationId: 'v' })
    return window.__watch.timers()
  })
  assert.equal(timers, 1)
  await world.counted(page, 'expired', 99_000)
  assert.equal((await world.diagnose(page)).counts.pending, 1000)
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.includes('/out/')).length), 1000)
  assert.equal(world.ours('warning').filter(({ text }) => /1000/.test(text)).length, 1)
  await page.evaluate(() => {
    window.told = []
    window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
    window.decisionBridge.flush()
  })
  await until(() => page.evaluate(() => window.told.length === 1000), 'those that stayed are told')
  assert.deepEqual(await page.evaluate(() => [window.told[0], window.told[999]]), ['e0', 'e999'])
})

story('more decisions before `init` than there is room for: the oldest stay, and are told once it came', async (world) => {
  const page = await world.open('/', html(script('window.told=[];window.analytics={track:(name,properties)=>void told.push(properties.experimentId)}'), tag()))
  await until(() => page.evaluate(() => window.decisionBridge?.version), 'our script is there')
  await page.evaluate(() => {
    for (let n = 0; n < 1500; n += 1) window.decisionBridge.trackDecision({ experimentId: `e${n}`, variationId: 'v' })
  })
  const { counts } = await world.diagnose(page)
  assert.deepEqual([counts.pending, counts.expired], [1000, 500])
  await page.evaluate(() => window.decisionBridge.init({}))
  await until(() => page.evaluate(() => window.told.length === 1000), 'those that stayed are told')
  assert.deepEqual(await page.evaluate(() => [window.told[0], window.told[999]]), ['e0', 'e999'])
})

for (const [name, patch] of [
  ['throws', `window.setTimeout=()=>{throw new Error('patched')}`],
  ['never fires', `window.setTimeout=()=>7`],
  ['gives an object, as Zone.js does', `const set=window.setTimeout;window.setTimeout=(...args)=>({id:set(...args)})`],
  ['cannot be cleared', `window.clearTimeout=()=>{}`],
  ['throws when it is cleared', `window.clearTimeout=()=>{throw new Error('patched')}`],
]) {
  story(`a setTimeout that ${name}: decisions are told by what else happens, and the page stays quiet`, async (world) => {
    const page = await world.open('/', html(script(patch), init({ pollIntervalMs: 50, maxWaitMs: 300 }), push('trackDecision', decision()), tag()))
    await world.counted(page, 'pending')
    await until(async () => (await world.diagnose(page)).state === 'running', 'the bridge runs')
    await page.evaluate(() => {
      window.told = []
      window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
      window.decisionBridge.flush()
      window.decisionBridge.trackDecision({ experimentId: 'b', variationId: 'v' })
    })
    assert.deepEqual(await page.evaluate(() => window.told), ['100', 'b'])
    // What could not be cleared fires for nothing.
    await page.waitForTimeout(150)
    assert.equal((await world.diagnose(page)).state, 'running')
  })
}

story('a timer that was dropped, and fires all the same, does nothing', async (world) => {
  const page = await world.open('/', html(script('window.timers=[];window.setTimeout=(fire)=>timers.push(fire);window.clearTimeout=()=>{}'), init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  await until(async () => (await world.diagnose(page)).state === 'running', 'the bridge runs')
  const [dropped, live] = await page.evaluate(() => {
    // Each sets the one timer anew.
    for (let n = 0; n < 5; n += 1) window.decisionBridge.flush()
    let looks = 0
    Object.defineProperty(window, 'analytics', { configurable: true, get: () => void looks++ })
    const seen = (timers) => {
      const before = [looks, window.timers.length]
      for (const fire of timers) fire()
      return [looks - before[0] > 0, window.timers.length - before[1]]
    }
    const [last] = window.timers.slice(-1)
    return [seen(window.timers.slice(0, -1)), seen([last])]
  })
  assert.deepEqual(dropped, [false, 0], 'nobody looks, and no timer is set')
  assert.deepEqual(live, [true, 1])
})

story('a page that lives for hours: neither heap nor module grow with what was decided', async (world) => {
  const page = await world.open('/', html(memorySpy, script('window.analytics={track(){}}'), init({ dedupe: 'page' }), tag()))
  await world.idle(page)
  const session = await world.context.newCDPSession(page)
  const decide = (count) => page.evaluate(async (count) => {
    for (let n = 0; n < count; n += 1) {
      window.decisionBridge.trackDecision({ experimentId: n % 50, variationId: n % 3, experimentName: 'x'.repeat(n % 600) })
      if (n % 500 === 499) await new Promise((next) => setTimeout(next))
    }
  }, count)
  const size = async () => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    return [usedSize, await moduleMemory(page)]
  }
  await decide(10_000)
  const [heap, module] = await size()
  assert.ok(module > 0 || FALLBACK)
  await decide(40_000)
  await world.idle(page)
  const [heapAfter, moduleAfter] = await size()
  assert.ok(heapAfter - heap < 500_000, `the heap grew by ${heapAfter - heap} bytes`)
  // A burst on a slow machine waits inside, and memory never shrinks; a leak of 100 bytes each would be 4 MB.
  assert.ok(moduleAfter - module <= 1_500_000, `the module grew by ${moduleAfter - module} bytes`)
})
