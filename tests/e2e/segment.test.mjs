// window.analytics in all the states it is found in.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { VISITOR, WRITE_KEY, decision, html, init, layerDecision, push, script, snippet, snippetCode, tag } from './pages.mjs'

const raw = (world) => world.server.events.filter((event) => event.event === 'Experiment Viewed')
const ours = layerDecision({ decisionData: { visitorId: VISITOR, projectId: '21' } })
const ready = (page) => until(() => page.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')

/** The messageId of this visitor's decision, as a current analytics.js sends it. */
async function expectedId(world) {
  const visitor = await world.visitor()
  await visitor.delivered(await visitor.open('/expected', html(snippet(world.origin), init({ dedupe: 'visitor' }), push('trackLayerDecision', ours), tag())))
  const [{ messageId }] = raw(world)
  world.server.events.length = 0
  return messageId
}

for (const [name, late] of [['found as a stub', true], ['found ready', false]]) {
  story(`analytics-next 1.67, ${name}, keeps our messageId and time`, async (world) => {
    const messageId = await expectedId(world)
    const cdn = late ? '/cdn/old/delay-800' : '/cdn/old'
    const page = await world.open('/', html(snippet(world.origin, { cdn }), init({ dedupe: 'visitor' }), tag()))
    if (!late) await ready(page)
    await until(() => page.evaluate(() => window.decisionBridge.version), 'our script is there')
    const between = await page.evaluate((decision) => {
      const from = Date.now()
      window.decisionBridge.trackLayerDecision(decision)
      return [from, Date.now()]
    }, ours)
    await ready(page)
    assert.match(await page.evaluate(() => window.analytics.VERSION), /^1\.67/)
    // The page's own events are not touched.
    await page.evaluate(() => void window.analytics.track('own', {}, { messageId: 'theirs' }))
    const [event] = await world.delivered(page)
    assert.equal(event.messageId, messageId)
    const at = Date.parse(event.timestamp)
    assert.ok(at >= between[0] && at <= between[1], 'the time of the decision')
    assert.equal(raw(world).length, 1)
    const own = world.server.events.find((each) => each.event === 'own')
    assert.notEqual(own.messageId, messageId)
  })
}

for (const [name, cdn] of [['buffered', '/cdn'], ['slow to load', '/cdn/delay-500']]) {
  story(`the npm package's AnalyticsBrowser, ${name}`, async (world) => {
    const messageId = await expectedId(world)
    const load = script(`window.analytics=AnalyticsNext.AnalyticsBrowser.load({writeKey:${JSON.stringify(WRITE_KEY)},cdnURL:${JSON.stringify(world.origin + cdn)}})`)
    const page = await world.open('/', html('<script src="/npm/index.js"></script>', load, init({ dedupe: 'visitor' }), push('trackLayerDecision', ours), tag()))
    const [event] = await world.delivered(page)
    assert.equal(event.messageId, messageId)
    await world.counted(page, 'delivered')
    await world.open('/second', html(snippet(world.origin), init({ dedupe: 'visitor' }), push('trackLayerDecision', ours), tag()), page)
    await world.delivered(page)
    assert.equal(raw(world).length, 1)
  })
}

story('a disabled analytics.js looks initialized and drops all: the next page delivers', async (world) => {
  const disabled = snippetCode(world.origin, { load: false }) + `;analytics.load(${JSON.stringify(WRITE_KEY)},{disable:true})`
  const page = await world.open('/', html(script(disabled), init({ maxWaitMs: 1000 }), tag()))
  await ready(page)
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision())
  await world.idle(page)
  const report = await world.diagnose(page)
  assert.equal(report.counts.delivered, 0)
  assert.equal(report.destinations[0].state, 'failed')
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})

story('a stub that turns into a disabled analytics.js did not take charge', async (world) => {
  const disabled = snippetCode(world.origin, { load: false, cdn: '/cdn/delay-800' }) + `;analytics.load(${JSON.stringify(WRITE_KEY)},{disable:true})`
  const page = await world.open('/', html(script(disabled), init({ maxWaitMs: 2000 }), push('trackDecision', decision()), tag()))
  await ready(page)
  await world.idle(page)
  assert.equal((await world.diagnose(page)).counts.delivered, 0)
  await world.open('/second', html(snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})

const recorder = `told:[],track(name,properties,options){this.told.push({name,properties:JSON.parse(JSON.stringify(properties)),options:JSON.parse(JSON.stringify(options)),isThis:this===window.analytics})}`

story('another library with a `track` is told the same way, as a method', async (world) => {
  const page = await world.open('/', html(script(`window.analytics={${recorder}}`), init(), push('trackDecision', decision()), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  const told = await page.evaluate(() => window.analytics.told)
  assert.equal(told.length, 1)
  assert.ok(told[0].isThis)
  assert.equal(told[0].name, 'Experiment Viewed')
  assert.equal(told[0].properties.experimentId, '100')
  assert.ok(Date.parse(told[0].options.timestamp))
  assert.ok(told[0].options.messageId)
  assert.ok((await world.diagnose(page)).warnings.some(({ message }) => /analytics/.test(message)))
})

story(
  'a `track` that throws is tried again, and nothing reaches the page',
  async (world) => {
    const page = await world.open('/', html(script(`window.tries=0;window.analytics={told:[],track(name,properties){if(++tries<3)throw new Error('not now');this.told.push(properties.experimentId)}}`), init({ pollIntervalMs: 50 }), push('trackDecision', decision()), tag()))
    await world.counted(page, 'delivered')
    assert.deepEqual(await page.evaluate(() => window.analytics.told), ['100'])
    assert.ok(world.ours('error').every((line) => /not now/.test(line.text)))
  },
  { errors: true },
)

story(
  'a `track` that always throws ends the attempts: no endless loop; the next page delivers',
  async (world) => {
    const page = await world.open('/', html(script(`window.tries=0;window.analytics={track(){tries++;throw new Error('never')}}`), init({ pollIntervalMs: 20, maxWaitMs: 600 }), push('trackDecision', decision()), tag()))
    await until(() => page.evaluate(() => window.tries > 0), 'it was tried')
    await world.idle(page)
    assert.equal(await page.evaluate(() => window.tries), 3)
    assert.ok(world.ours('error').length <= 1, 'one complaint, not one per attempt')
    assert.equal((await world.diagnose(page)).counts.delivered, 0)
    await world.open('/second', html(snippet(world.origin), init(), tag()), page)
    await world.delivered(page)
  },
  { errors: true },
)

story(
  'the real analytics.js wrapped by a page script that throws once',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init(), tag()))
    await ready(page)
    await world.idle(page)
    await page.evaluate((decision) => {
      const { track } = window.analytics
      window.analytics.track = function () {
        window.analytics.track = track
        throw new Error('once')
      }
      window.decisionBridge.trackDecision(decision)
    }, decision())
    await world.delivered(page)
  },
  { errors: true },
)

story('a rejected promise of `track` is nobody’s unhandled rejection', async (world) => {
  const page = await world.open('/', html(script(`window.calls=0;window.analytics={track(){calls++;return Promise.reject(new Error('refused'))}}`), init({ maxWaitMs: 500 }), push('trackDecision', decision()), tag()))
  await until(() => page.evaluate(() => window.calls > 0), 'it was called')
  await world.idle(page)
})

story('what a destination changes deep within the context or the integrations is in no other event', async (world) => {
  const recorder = script(`window.told=[];window.analytics={track(name,properties,{context,integrations}){told.push([context.app.name,integrations.Amplitude.session_id]);context.app.name=integrations.Amplitude.session_id='changed'}}`)
  const segment = { context: { app: { name: 'shop' } }, integrations: { Amplitude: { session_id: 7 } } }
  const page = await world.open('/', html(recorder, init({ destinationOptions: { segment } }), push('trackDecision', decision({ experimentId: 'a' })), push('trackDecision', decision({ experimentId: 'b' })), tag()))
  await world.counted(page, 'delivered', 2)
  assert.deepEqual(await page.evaluate(() => window.told), [['shop', 7], ['shop', 7]])
})

story('a destination that changes what it gets, and calls us back, disturbs nothing', async (world) => {
  const page = await world.open('/', html(script(`window.told=[];window.analytics={track(name,properties,{integrations}){told.push([properties.experimentId,properties.team,integrations.Amplitude]);for(const given of [properties,integrations])for(const key of Object.keys(given))delete given[key];properties.experimentId='changed';
    if(told.length===1){decisionBridge.trackDecision({experimentId:'nested',variationId:'v'});decisionBridge.flush();decisionBridge.diagnose()}}}`), init({ properties: { team: 'web' }, destinationOptions: { segment: { integrations: { Amplitude: false } } } }), push('trackDecision', decision({ experimentId: 'a' })), push('trackDecision', decision({ experimentId: 'b' })), tag()))
  await world.counted(page, 'delivered', 3)
  assert.deepEqual((await page.evaluate(() => window.told)).sort(), ['a', 'b', 'nested'].map((id) => [id, 'web', false]))
})

for (const [name, before] of [
  ['a getter that throws', `Object.defineProperty(window,'analytics',{configurable:true,get(){throw new DOMException('Blocked a frame','SecurityError')}})`],
  ['an object whose `track` throws when read', `window.analytics={get track(){throw new DOMException('Blocked a frame','SecurityError')}}`],
  ['an object whose `track` is no function', `window.analytics={track:true}`],
  ['null', `window.analytics=null`],
]) {
  story(`window.analytics is ${name}: quiet, and the real one is found later`, async (world) => {
    const page = await world.open('/', html(script(before), init(), push('trackDecision', decision()), tag()))
    await world.counted(page, 'pending')
    await page.evaluate(() => Object.defineProperty(window, 'analytics', { configurable: true, writable: true, value: undefined }))
    await page.addScriptTag({ content: snippetCode(world.origin) })
    await world.delivered(page)
  })
}

for (const [name, element] of [
  ['a div', '<div id="analytics"></div>'],
  ['a form with a field `track`', '<form id="analytics"><input name="track"></form>'],
  ['several elements', '<a id="analytics"></a><a id="analytics" name="track"></a>'],
  ['a cross-origin frame', '<iframe name="analytics" sandbox="allow-scripts" src="/frame"></iframe>'],
]) {
  story(`window.analytics is ${name}: not taken for the tool; the next page delivers`, async (world) => {
    world.server.pages.set('/frame', html(script('window.track=function(){}')))
    const page = await world.open('/', html(element, init({ maxWaitMs: 500 }), push('trackDecision', decision()), tag()))
    await world.counted(page, 'pending')
    await world.idle(page)
    assert.equal((await world.diagnose(page)).destinations[0].state, 'missing')
    await world.open('/second', html(snippet(world.origin), init(), tag()), page)
    await world.delivered(page)
  })
}

story('an Object.prototype with a `track` is not taken for analytics', async (world) => {
  const page = await world.open('/', html(script(`Object.defineProperty(Object.prototype,'track',{configurable:true,writable:true,value(){window.fooled=true}});window.analytics={}`), init({ maxWaitMs: 300 }), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  await world.idle(page)
  assert.equal(await page.evaluate(() => window.fooled), undefined)
  await page.evaluate(() => delete Object.prototype.track)
})

for (const [name, tagged] of [
  ['data-write-key on the tag', (world) => tag(`data-write-key="${WRITE_KEY}" data-options='{"cdnUrl":"${world.origin}/cdn"}'`)],
  ['init({writeKey, cdnUrl})', (world) => init({ writeKey: WRITE_KEY, cdnUrl: `${world.origin}/cdn` }) + tag()],
  ['init with an old analytics.js behind the key', (world) => init({ writeKey: WRITE_KEY, cdnUrl: `${world.origin}/cdn/old` }) + tag()],
]) {
  story(`no analytics on the page: ${name} loads it`, async (world) => {
    const page = await world.open('/', html(push('trackDecision', decision()), tagged(world)))
    const [event] = await world.delivered(page)
    assert.equal(event.writeKey, WRITE_KEY)
    const scripts = world.server.requests.filter((request) => request.path.includes('analytics.min.js'))
    assert.equal(scripts.length, 1)
    // What the page itself calls on the stub works as with Segment's own snippet.
    await page.evaluate(() => void window.analytics.page('Docs'))
    await until(() => world.server.events.some((each) => each.type === 'page' && each.name === 'Docs'), 'the page’s own call arrives')
    await world.open('/second', html(push('trackDecision', decision()), tagged(world)), page)
    await world.delivered(page)
    assert.equal(raw(world).length, 1)
  })
}

story('with a write key, and analytics on the page, nothing is loaded a second time', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), tag(`data-write-key="other_key" data-options='{"cdnUrl":"${world.origin}/cdn"}'`), push('trackDecision', decision())))
  const [event] = await world.delivered(page)
  assert.equal(event.writeKey, WRITE_KEY)
  assert.equal(world.server.requests.filter((request) => request.path.includes('other_key')).length, 0)
})

story(
  'a write key or a CDN that would lead elsewhere loads nothing',
  async (world) => {
    const cases = [
      { writeKey: '../../evil.js?' }, { writeKey: 'a/b' }, { writeKey: '//host' }, { writeKey: 'a%2fb' },
      { writeKey: 'ok', cdnUrl: 'javascript:alert(1)' }, { writeKey: 'ok', cdnUrl: '//evil.test' },
    ]
    for (const [index, options] of cases.slice(0, 4).entries()) {
      const page = await world.open(`/${index}`, html(init({ ...options, maxWaitMs: 0 }), push('trackDecision', decision()), tag()))
      await world.idle(page)
      assert.equal(await page.evaluate(() => document.querySelectorAll('script[src*="analytics"]').length), 0, js(options))
      await page.close()
    }
    // A bad CDN falls back to Segment's own, which is not asked here.
    await world.context.route('https://cdn.segment.com/**', (route) => route.abort())
    for (const options of cases.slice(4)) {
      const page = await world.open('/cdn-url', html(init({ ...options, maxWaitMs: 0 }), push('trackDecision', decision()), tag()))
      await world.idle(page)
      const sources = await page.evaluate(() => [...document.querySelectorAll('script[src*="analytics"]')].map((each) => each.src))
      assert.deepEqual(sources, ['https://cdn.segment.com/analytics.js/v1/ok/analytics.min.js'])
      await page.close()
    }
    assert.ok(world.ours('error').length >= cases.length)
  },
  { errors: true, hosts: ['cdn.segment.com'] },
)

const js = (value) => JSON.stringify(value)
