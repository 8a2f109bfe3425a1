// Handing over: a stub replaced in the middle, endless loops, bursts, offline, patched built-ins.
// tests/FAULTS.md, section F, says which fault each of these stories is about.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, tag } from './pages.mjs'

const recorder = (answer = '') => script(`window.told=[];window.analytics={track(name,properties){told.push(properties.experimentId);${answer}}}`)
const told = (page) => page.evaluate(() => window.told)
const runs = (page) => until(() => page.evaluate(() => window.decisionBridge.diagnose?.().state === 'running'), 'our script runs')

story('analytics is replaced between our look and our call: the new one is called, as its own method', async (world) => {
  const page = await world.open('/', html(script(`
    window.told=[];
    const real={name:'real',initialized:true,track(name,properties){told.push([this.name,properties.experimentId])}};
    // Whoever reads it the first few times sees the stub.
    const stub={name:'stub',get initialized(){Object.defineProperty(window,'analytics',{configurable:true,value:real});return true},track(name,properties){told.push([this&&this.name,properties.experimentId])}};
    Object.defineProperty(window,'analytics',{configurable:true,value:stub})`), init(), push('trackDecision', decision()), tag()))
  // Without the report, which looks for the tools too: the first look has to be that before the call.
  await until(async () => (await told(page)).length > 0, 'it is told')
  assert.deepEqual(await told(page), [['real', '100']])
})

story('a `track` that answers each event with a decision: an end is put to it, and one warning', async (world) => {
  const page = await world.open('/', html(recorder(`decisionBridge.trackDecision({experimentId:'n'+told.length,variationId:'v'})`), init(), tag()))
  await runs(page)
  await page.evaluate(() => window.decisionBridge.trackDecision({ experimentId: 'first', variationId: 'v' }))
  await world.idle(page)
  assert.equal((await told(page)).length, 1001)
  assert.equal(world.ours('warning').filter(({ text }) => /without end/.test(text)).length, 1)
  // What the page decides by itself still counts.
  await page.evaluate(() => window.decisionBridge.trackDecision({ experimentId: 'last', variationId: 'v' }))
  assert.equal((await told(page)).at(-1), 'last')
})

story('a page that lives for long, and decides in a handler time and again, is never taken for one without end', async (world) => {
  const page = await world.open('/', html(recorder(), init(), tag()))
  await runs(page)
  await page.evaluate(() => {
    const { decisionBridge } = window
    const more = ['b', 'c']
    decisionBridge.on('delivered', ({ experimentId }) => {
      if (experimentId[0] === 'a') for (const letter of more) decisionBridge.trackDecision({ experimentId: letter + experimentId, variationId: 'v' })
    })
    for (let n = 0; n < 700; n += 1) decisionBridge.trackDecision({ experimentId: `a${n}`, variationId: 'v' })
  })
  await until(async () => (await told(page)).length === 2100, 'all are told')
  assert.equal(world.ours('warning').filter(({ text }) => /without end/.test(text)).length, 0)
})

story('a handler that makes as many decisions at once as one may is believed the next time too', async (world) => {
  const page = await world.open('/', html(recorder(), init(), tag()))
  await runs(page)
  await page.evaluate(() => {
    const { decisionBridge } = window
    const most = { first: 1000, second: 1 }
    decisionBridge.on('delivered', ({ experimentId }) => {
      for (let n = 0; n < most[experimentId]; n += 1) decisionBridge.trackDecision({ experimentId: `${experimentId}-${n}`, variationId: 'v' })
    })
    decisionBridge.trackDecision({ experimentId: 'first', variationId: 'v' })
  })
  await until(async () => (await told(page)).length === 1001, 'the first and its thousand are told')
  await page.evaluate(() => window.decisionBridge.trackDecision({ experimentId: 'second', variationId: 'v' }))
  await until(async () => (await told(page)).includes('second-0'), 'so is what the second brings')
})

for (const [event, faulty, pages] of [
  ['error', { variationId: 'v' }, []],
  // Where there is no room every decision is dropped at once.
  ['dropped', { experimentId: 'e', variationId: 'v' }, [script('for(let n=0;n<1500;n++)decisionBridge.push(["trackDecision",{experimentId:n,variationId:"v"}])')]],
]) {
  story(`a handler of \`${event}\` that causes two more each time comes to an end`, async (world) => {
    const page = await world.open('/', html(script('window.decisionBridge=[]'), ...pages, push('init', { maxWaitMs: 60_000 }), tag()))
    await runs(page)
    await page.evaluate(([event, faulty]) => {
      window.heard = 0
      window.decisionBridge.on(event, () => {
        window.heard += 1
        for (let n = 0; n < 2; n += 1) window.decisionBridge.trackDecision(faulty)
      })
      window.decisionBridge.trackDecision(faulty)
    }, [event, faulty])
    await until(() => page.evaluate(() => window.heard > 0), 'it is heard')
    const heard = await page.evaluate(() => window.heard)
    assert.ok(heard <= 2100, `heard ${heard} times`)
    assert.equal((await world.diagnose(page)).state, 'running')
    await page.evaluate(() => (window.analytics = { track() {} }))
  }, { errors: true })
}

story('a handler of ours that decides within each decision: the stack does not overflow', async (world) => {
  const page = await world.open('/', html(recorder(), init(), tag()))
  await runs(page)
  const deepest = await page.evaluate(() => {
    let [number, depth, deepest] = [0, 0, 0]
    window.decisionBridge.on('decision', () => {
      deepest = Math.max(deepest, ++depth)
      window.decisionBridge.trackDecision({ experimentId: `n${number++}`, variationId: 'v' })
      depth -= 1
    })
    window.decisionBridge.trackDecision({ experimentId: 'first', variationId: 'v' })
    return deepest
  })
  // The page needs some of the stack for itself.
  assert.ok(deepest < 100, `${deepest} handlers within each other`)
  await world.idle(page)
  const { state, counts } = await world.diagnose(page)
  assert.deepEqual([state, counts.pending], ['running', 0])
  assert.ok((await told(page)).includes('first'))
  assert.equal(world.ours('warning').filter(({ text }) => /without end/.test(text)).length, 1)
})

story('offline: the page claims nothing, and the event arrives once when the line is back', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ identify: true }), tag()))
  await until(() => page.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
  await runs(page)
  // In which period the traits were last told.
  const traits = () => page.evaluate(() => JSON.parse(localStorage.getItem('decision-bridge/1/experiments')).period)
  await world.context.setOffline(true)
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision())
  // analytics.js says at once that it took the event, and keeps it until the line is back.
  await page.evaluate(() => window.analytics.track('Another', {}))
  const { counts } = await world.diagnose(page)
  assert.deepEqual([counts.pending, counts.delivered, await traits(), world.server.events.length], [1, 0, undefined, 0])
  await world.context.setOffline(false)
  await world.counted(page, 'delivered')
  await until(() => world.exposures().length === 1, 'it arrives')
  assert.ok(await traits())
  await world.delivered(page)
})

story(
  'the properties of an event stay below what tools take, and the report says what was left out',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), script(`const many={};for(let n=0;n<200;n++)many['property'+n]='😀'.repeat(500);
      const long='ü'.repeat(2000);window.decisionBridge=[['init',{properties:many}],['trackDecision',{experimentId:long+1,variationId:long,experimentName:long,variationName:long,campaignId:long,campaignName:long,properties:many}]]`), tag()))
    const [event] = await world.delivered(page)
    assert.ok(Buffer.byteLength(JSON.stringify(event)) < 32_000, `${Buffer.byteLength(JSON.stringify(event))} bytes`)
    const { errors } = await world.diagnose(page)
    assert.deepEqual(errors.map(({ message }) => message.replace(/.*`(\w+)`/, '$1')), Array(2).fill('properties is longer than 4096 characters, the rest is left out'))
  },
  { errors: true },
)

story('the same properties, without what is too long, in the report of a decision', async (world) => {
  const page = await world.open('/', html(recorder(), init(), push('trackDecision', decision({ experimentName: 'x'.repeat(1e6) })), push('trackDecision', decision({ experimentId: 'short' })), tag()))
  await world.counted(page, 'delivered', 2)
  const { decisions } = await world.diagnose(page)
  const notes = decisions.map(({ steps }) => steps.filter(({ step }) => /512/.test(step)).length)
  assert.deepEqual(notes, [1, 0])
})

story('an Array.prototype.toJSON, as of prototype.js: what is sent and what is remembered stays right', async (world) => {
  const patch = script(`Object.defineProperty(Array.prototype,'toJSON',{configurable:true,writable:true,value(){return 'patched'}});Object.defineProperty(String.prototype,'toJSON',{configurable:true,writable:true,value(){return 'patched'}})`)
  const restore = (page) => page.evaluate(() => { delete Array.prototype.toJSON; delete String.prototype.toJSON })
  const parts = [recorder(), patch, script(`decisionBridge=[['init',{destinations:['segment'],properties:{team:'web'}}],['trackDecision',{experimentId:'100',variationId:'1',properties:{list:'a'}}]]`), tag()]
  const page = await world.open('/', html(...parts))
  await world.counted(page, 'delivered')
  assert.deepEqual([await told(page), (await world.diagnose(page)).decisions[0].experimentId], [['100'], '100'])
  await restore(page)
  await world.open('/second', html(...parts), page)
  await world.counted(page, 'duplicate')
  await restore(page)
})

story('an Array.prototype.entries that gives a copy, as of prototype.js up to 1.7.2: decisions are told, and options read', async (world) => {
  const patch = script(`window.entries=Array.prototype.entries;Array.prototype.entries=function(){return this.slice()}`)
  const page = await world.open('/', html(recorder(), patch, init({ destinations: ['segment'], qaSignals: { params: ['qa'] } }), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  const { options, errors } = await world.diagnose(page)
  assert.deepEqual([options.destinations, errors], [['segment'], []])
  await page.evaluate(() => { Array.prototype.entries = window.entries })
})

story('an Array.prototype that is frozen: what was pushed before is told', async (world) => {
  const page = await world.open('/', html(recorder(), script('Object.freeze(Array.prototype)'), init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  assert.deepEqual(await told(page), ['100'])
})

story('a Promise without `finally`: a page that asks for the extras tells its decisions', async (world) => {
  const page = await world.open('/', html(recorder(), script('delete Promise.prototype.finally'), init({ identify: true }), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  assert.deepEqual(await told(page), ['100'])
})

story('an Array.prototype.toJSON: what waits is told on the next page, with its texts', async (world) => {
  // As prototype.js 1.6 has them: a text for each list, and a text within a text.
  const patch = script(`Array.prototype.toJSON=function(){return '['+this.map((each)=>JSON.stringify(each)).join(', ')+']'};String.prototype.toJSON=function(){return '"'+this+'"'}`)
  const page = await world.open('/', html(patch, init(), push('trackDecision', decision({ experimentName: 'Hero', properties: { team: 'web' } })), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => { delete Array.prototype.toJSON; delete String.prototype.toJSON })
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  const [{ properties }] = await world.delivered(page)
  assert.deepEqual([properties.experimentId, properties.experimentName, properties.team], ['100', 'Hero', 'web'])
})

// A clock that only moves when we work: each look at storage takes a millisecond, each call of track five.
const COSTLY = script(`
  let spent=0;window.longest=0;window.told=[];
  const begin=()=>{const from=spent;return()=>{longest=Math.max(longest,spent-from)}};
  performance.now=()=>spent;
  for(const name of ['getItem','setItem','removeItem']){const real=Storage.prototype[name];Storage.prototype[name]=function(...args){spent+=0.5;return real.apply(this,args)}}
  const set=window.setTimeout;window.setTimeout=(body,...rest)=>set(()=>{const end=begin();body();end()},...rest);
  window.within=(body)=>{const end=begin();body();end()};
  window.analyticsCosts=(ms)=>{window.analytics={track(name,properties){spent+=ms;told.push(properties.experimentId)}}}`)

for (const [name, options, before, release] of [
  ['analytics appears', {}, () => {}, () => { window.analyticsCosts(5); window.decisionBridge.flush() }],
  ['the visitor agrees', { requireConsent: true }, () => window.analyticsCosts(1), () => window.decisionBridge.consent(true)],
]) {
  story(`900 decisions wait until ${name}: no task of ours is long, and all are told in order`, async (world) => {
    const page = await world.open('/', html(COSTLY, init({ ...options, pollIntervalMs: 60_000 }), tag()))
    await runs(page)
    await page.evaluate(before)
    await page.evaluate(() => {
      for (let n = 0; n < 900; n += 1) window.decisionBridge.trackDecision({ experimentId: n, variationId: 'v' })
    })
    await page.evaluate(`longest=0;within(${release})`)
    await until(async () => (await told(page)).length === 900, 'all are told')
    assert.deepEqual(await told(page), Array.from({ length: 900 }, (_, n) => String(n)))
    const longest = await page.evaluate(() => window.longest)
    assert.ok(longest < 50, `${longest} ms in one task`)
    await world.idle(page)
  })
}

story('a page that is left hands over all that waits at once, however long that takes', async (world) => {
  world.server.pages.set('/second', html(script(`window.before=Number(localStorage.told)`)))
  const page = await world.open('/', html(COSTLY, init({ pollIntervalMs: 60_000 }), tag()))
  await runs(page)
  await page.evaluate(() => {
    for (let n = 0; n < 300; n += 1) window.decisionBridge.trackDecision({ experimentId: n, variationId: 'v' })
    window.analyticsCosts(5)
    addEventListener('pagehide', () => localStorage.setItem('told', window.told.length))
    location.href = '/second'
  })
  await page.waitForURL('**/second')
  assert.equal(await page.evaluate(() => window.before), 300)
})

story('each complaint is on the console once, however often there is reason for it', async (world) => {
  const page = await world.open('/', html(init(), script(`for(let n=0;n<30;n++)decisionBridge.push(['trackDecision',{experimentId:'e'}],['nope']),decisionBridge.push(['trackDecision',{variationId:'v'}])`), tag()))
  await runs(page)
  const { errors } = await world.diagnose(page)
  assert.equal(world.ours('error').length, errors.length)
  assert.ok(errors.length <= 3 && errors.every(({ times }) => times === 30), JSON.stringify(errors))
}, { errors: true })
