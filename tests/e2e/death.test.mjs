// Instances that die: by a trap, by a stack that is used up. Nothing that is pending is lost, and nothing is told twice.

import assert from 'node:assert/strict'
import { FALLBACK, story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, snippetCode, tag } from './pages.mjs'

const FILE = '/dist/decision-bridge-fallback.js'
const told = (fields) => push('trackDecision', decision(fields))
const ids = (events) => events.map((event) => event.properties.experimentId).sort()

/**
 * Every instance that is made, of WebAssembly or not, breaks at its next call, or in so many, when it is told to, as by a
 * trap. What an engine leaves of it can be called, so whoever calls it still is counted.
 */
const breaks = script(`window.calls=window.toTheDead=0;window.breakNext=(within=1)=>{window.broken=within}
const breakable=(exports)=>{let dead;return Object.fromEntries(Object.entries(exports).map(([name,made])=>[name,(...told)=>{
window.calls++;if(dead)window.toTheDead++;if(window.broken&&!--window.broken){dead=true;throw new Error('trap')}return made(...told)}]))}
const{instantiate}=WebAssembly
WebAssembly.instantiate=(...told)=>instantiate(...told).then(({exports})=>({exports:breakable(exports)}))
// The fallback hands its maker to a field of ours.
let ours
Object.defineProperty(window,Symbol.for('decision-bridge'),{configurable:true,get:()=>ours,set(made){
ours=made;let take
Object.defineProperty(made,'fallback',{get:()=>take,set:(next)=>{take=(make)=>next(()=>breakable(make()))}})}})`)
const errors = async (world, page) => (await world.diagnose(page)).errors.map(({ message }) => message)

/** Kills the instance that lives, and waits for the next one. */
async function kill(world, page) {
  const deaths = async () => (await world.diagnose(page)).errors.reduce((sum, { times }) => sum + times, 0)
  const before = await deaths()
  await page.evaluate(() => {
    window.breakNext()
    window.decisionBridge.flush()
  })
  await until(async () => (await deaths()) > before, 'it has died')
  await until(async () => !/^(starting|stopped)/.test((await world.diagnose(page)).state), 'the next one runs')
}

const analyticsCome = (world, page) => page.addScriptTag({ content: snippetCode(world.origin) })
const mayComplain = { errors: true }

for (const [what, options, before] of [
  ['is written down', {}],
  ['may not be carried over', { carryOverMs: 0 }],
  ['is kept for this page', { dedupe: 'page' }],
  ['has no storage', {}, script(`for(const name of['localStorage','sessionStorage'])Object.defineProperty(window,name,{get(){throw new DOMException('blocked','SecurityError')}})`)],
]) {
  story(`an instance dies while a decision waits that ${what}: its successor delivers it once`, async (world) => {
    // What sends nothing without storage is Segment's own.
    const page = await world.open('/', html(breaks, before ?? '', init({ ...options, maxWaitMs: 60_000 }), told({}), tag()))
    await world.counted(page, 'pending')
    await kill(world, page)
    await world.counted(page, 'pending')
    await page.evaluate(() => {
      window.told = []
      window.analytics = { track: (name, properties, { messageId }) => void window.told.push(messageId) }
      window.decisionBridge.flush()
      window.decisionBridge.trackDecision({ experimentId: '100', variationId: '200' })
    })
    await world.counted(page, 'delivered')
    assert.equal(await page.evaluate(() => new Set(window.told).size), 1, 'one event')
    const { counts, errors } = await world.diagnose(page)
    assert.equal(counts.pending, 0)
    assert.equal(errors.length, 1)
    assert.match(errors[0].message, /^internal error, starting again: .*trap/)
  }, mayComplain)
}

story('an instance dies before init: what came is told after it', async (world) => {
  const page = await world.open('/', html(breaks, snippet(world.origin), told({}), tag()))
  await world.counted(page, 'pending')
  await kill(world, page)
  await page.evaluate(() => window.decisionBridge.init())
  await world.delivered(page)
}, mayComplain)

story('an instance dies before consent: what is held is told after it, and nothing was stored', async (world) => {
  const page = await world.open('/', html(breaks, snippet(world.origin), init({ requireConsent: true }), told({}), tag()))
  await world.counted(page, 'pending')
  await kill(world, page)
  await world.counted(page, 'pending')
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge')).length), 0)
  await page.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(page)
}, mayComplain)

story('the very call an instance dies of is made again on its successor', async (world) => {
  const page = await world.open('/', html(breaks, snippet(world.origin), init(), tag()))
  await world.idle(page)
  await page.evaluate((decision) => {
    window.breakNext()
    window.decisionBridge.trackDecision(decision)
  }, decision())
  await world.delivered(page)
  assert.equal((await world.diagnose(page)).counts.delivered, 1)
  assert.equal(await page.evaluate(() => window.toTheDead), 0, 'nobody calls an instance that died')
}, mayComplain)

story('it dies while it hands over: what the page decides meanwhile is not lost, and nothing arrives twice', async (world) => {
  const page = await world.open('/', html(breaks, init({ maxWaitMs: 60_000 }), told({}), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => {
    window.told = []
    window.analytics = {
      track(name, { experimentId }, { messageId }) {
        if (!window.told.length) {
          window.breakNext()
          window.decisionBridge.trackDecision({ experimentId: 'inside', variationId: '1' })
        }
        window.told.push(experimentId + ' ' + messageId)
      },
    }
    window.decisionBridge.flush()
  })
  await until(() => page.evaluate(() => new Set(window.told).size === 2), 'both are told')
  await world.idle(page)
  assert.deepEqual(await page.evaluate(() => [...new Set(window.told)].map((each) => each.split(' ')[0]).sort()), ['100', 'inside'])
  assert.equal((await errors(world, page)).length, 1)
}, mayComplain)

story('whichever call an instance dies of, the decision is told under a key of its own', async (world) => {
  const analytics = script(`window.told=[];window.analytics={track:(name,{experimentId},{messageId})=>void told.push([experimentId,messageId])}`)
  const decide = (page, experimentId, within) =>
    page.evaluate(([experimentId, within]) => {
      window.calls = 0
      window.broken = within
      // Of a user of its own: what was hashed for the one before is not hashed again.
      window.decisionBridge.trackDecision({ experimentId, variationId: '1', userId: experimentId })
      return window.calls
    }, [experimentId, within])
  const isTold = (page, name) => until(() => page.evaluate((name) => window.told.some(([experimentId]) => experimentId === name), name), `${name} is told`)
  const deaths = FALLBACK ? 1 : 3
  const pages = 8
  const keys = new Map()
  for (let n = 0; n < pages; n += 1) {
    const page = await world.open(`/${n}`, html(breaks, analytics, init(), tag()))
    await world.idle(page)
    await decide(page, `first-${n}`, 0)
    const calls = await decide(page, `whole-${n}`, 0)
    for (let death = 0; death < deaths; death += 1) {
      const name = `dies-${n}-${death}`
      await decide(page, name, 1 + Math.floor((calls * (n * deaths + death)) / (pages * deaths)))
      await isTold(page, name)
      await world.idle(page)
    }
    for (const [name, key] of await page.evaluate(() => window.told)) {
      assert.match(key, /^db-(?!0{32})[0-9a-f]{32}$/)
      assert.equal(keys.get(name) ?? key, key, 'a repeat has the same key')
      keys.set(name, key)
    }
    assert.equal((await world.diagnose(page)).errors.reduce((sum, { times }) => sum + times, 0), deaths)
  }
  assert.equal(keys.size, pages * (2 + deaths))
  assert.equal(new Set(keys.values()).size, keys.size)
}, mayComplain)

if (!FALLBACK) {
  story('the second death brings the fallback, with all that is pending, and the report says so', async (world) => {
    const page = await world.open('/', html(breaks, init({ maxWaitMs: 60_000, carryOverMs: 0 }), told({}), tag()))
    await world.counted(page, 'pending')
    await kill(world, page)
    await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: 'second' }))
    await world.counted(page, 'pending', 2)
    assert.equal(world.server.requests.filter(({ path }) => path === FILE).length, 0)
    await kill(world, page)
    await world.counted(page, 'pending', 2)
    assert.equal(world.server.requests.filter(({ path }) => path === FILE).length, 1)
    await analyticsCome(world, page)
    assert.deepEqual(ids(await world.delivered(page, 2)), ['100', 'second'])
    const said = await errors(world, page)
    assert.match(said[0], /^internal error, starting again: /)
    assert.match(said[1], /^internal error, the fallback takes over: /)
    assert.equal(said.length, 2)
  }, mayComplain)
}

story('when all have died it says so, and the page goes on', async (world) => {
  const page = await world.open('/', html(breaks, snippet(world.origin), init(), tag()))
  await world.idle(page)
  for (let deaths = FALLBACK ? 1 : 3; deaths > 0; deaths--) await kill(world, page)
  await page.evaluate((decision) => {
    window.breakNext()
    window.decisionBridge.trackDecision(decision)
  }, decision())
  await until(async () => /^cannot run: /.test((await world.diagnose(page)).state), 'it has given up')
  assert.match((await errors(world, page)).at(-1), /^no decision is sent any more: /)
  await page.evaluate(() => {
    window.decisionBridge.trackDecision({ experimentId: 'x', variationId: 'y' })
    window.decisionBridge.flush()
    window.analytics.track('The page’s own')
  })
  await until(() => world.server.events.some(({ event }) => event === 'The page’s own'), 'its own events arrive')
}, mayComplain)

story('on a stack that is used up no decision is lost, and no instance', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), tag()))
  await world.idle(page)
  const made = await page.evaluate(() => {
    // From the very end of the stack outwards, a decision from each depth that still lets us be called.
    const made = []
    const deep = (depth) => {
      try {
        deep(depth + 1)
      } catch {}
      if (made.length < 300) {
        try {
          window.decisionBridge.trackDecision({ experimentId: `e${depth}`, variationId: 'v' })
          made.push(`e${depth}`)
        } catch {}
      }
    }
    deep(0)
    return made
  })
  assert.equal(made.length, 300)
  const events = await world.delivered(page, made.length)
  assert.deepEqual(ids(events), made.sort())
  assert.deepEqual(await errors(world, page), [])
})

story('a tool that tells from the end of the stack: nothing waits for ever, nothing comes twice, and the bridge lives on', async (world) => {
  const page = await world.open('/', html(script(`window.avsb={};window.told=[];window.analytics={track:(name,{experiment_id,experimentId})=>void told.push(experiment_id??experimentId)}`), init(), push('attach', 'avsb'), tag()))
  await world.idle(page)
  await page.evaluate(async () => {
    let count = 0
    const tell = () => window.avsb.onEvent({ event_name: 'experiment_viewed', experiment_id: `e${count++}`, variation_id: 'v' })
    // Once compiled, our code takes less of the stack than when it is called for the first time.
    for (const warm of [0, 40]) {
      for (let n = 0; n < warm; n += 1) tell()
      let left = 300
      const deep = () => {
        try {
          deep()
        } catch {}
        if (left-- > 0) {
          try {
            tell()
          } catch {}
        }
      }
      deep()
      await new Promise((next) => setTimeout(next))
    }
    window.decisionBridge.trackDecision({ experimentId: 'last', variationId: 'v' })
  })
  await until(() => page.evaluate(() => window.told.includes('last')), 'what comes later is told')
  await world.idle(page)
  const { counts, state } = await world.diagnose(page)
  const told = await page.evaluate(() => window.told)
  assert.deepEqual([state, counts.pending], ['running', 0])
  assert.equal(new Set(told).size, told.length, 'nothing comes twice')
  assert.ok(told.length >= 300, `${told.length} of 641`)
}, mayComplain)

story('a clock that throws kills nothing', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), tag()))
  await world.idle(page)
  await page.evaluate((decision) => {
    const { now } = Date
    Date.now = () => {
      throw new Error('patched')
    }
    window.decisionBridge.trackDecision(decision)
    Date.now = now
  }, decision())
  await until(async () => (await world.diagnose(page)).counts.delivered === 1, 'it is delivered')
  assert.deepEqual(await errors(world, page), [])
})
