// A vs B: its callback is shared, its dataLayer is read; with a stand-in, since the snippet is hosted only.

import assert from 'node:assert/strict'
import { story } from './harness.mjs'
import { html, init, js, script, snippet, tag } from './pages.mjs'

const OURS = '<script src="/dist/decision-bridge.js"></script>'
const HERO = { id: 'exp_abc123', name: 'Homepage Hero Test', variations: [{ id: 'var_0', name: 'Original' }, { id: 'var_xyz789', name: 'Variation B' }] }
const SENT = { experiment_id: 'exp_abc123', experiment_name: 'Homepage Hero Test', variation_id: 'var_xyz789', variation_name: 'Variation B', event_name: 'experiment_viewed' }
const NAME = { name: 'avsb_experiment' }

/** A vs B's snippet. */
const avsb = (config = {}) => script(`window.avsbStandIn=${js({ experiments: [HERO], ...config })}`) + '<script id="avsb" src="/demo/avsb-stand-in.js"></script>'
/** As its guide tells to paste it. */
const callback = script('window.calls=[];window.avsb=window.avsb||{};window.avsb.onEvent=function(event){calls.push([event.event_name,this===window.avsb])}')
const attach = script(`window.detach=decisionBridge.attach('avsb')`)
const running = `(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);`
/** Puts A vs B on the page once our module runs. */
const lateAvsb = (config) => script(`${running}window.avsbStandIn=${js({ experiments: [HERO], ...config })};const snippet=document.createElement('script');snippet.src='/demo/avsb-stand-in.js';document.head.append(snippet)})()`)

for (const [title, page] of [
  ['attached in front of the snippet', (world) => html(snippet(world.origin), init(), OURS, attach, avsb())],
  ['with a callback of the page before us', (world) => html(snippet(world.origin), init(), OURS, callback, attach, avsb())],
  ['with a callback of the page after us', (world) => html(snippet(world.origin), init(), OURS, attach, callback, avsb())],
  ['where the snippet replaces window.avsb', (world) => html(snippet(world.origin), init(), OURS, attach, callback, avsb({ replace: true }))],
  ['found because the page has made its slot', (world) => html(snippet(world.origin), init(), callback, OURS, lateAvsb())],
  ['found because the page names it', (world) => html(snippet(world.origin), init({ sources: ['avsb'] }), OURS, lateAvsb())],
  ['after consent', (world) => html(snippet(world.origin), init(), OURS, attach, avsb({ consent: true }), script(`${running}avsb.init()})()`))],
]) {
  story(`an exposure is sent once, under its guide’s name: ${title}`, async (world) => {
    const tab = await world.open('/', page(world))
    const [event] = await world.delivered(tab, 1, NAME)
    assert.deepEqual(event.properties, SENT)
    assert.equal(world.sent().length, 0)
    const calls = await tab.evaluate(() => window.calls)
    if (calls) assert.deepEqual(calls, [['experiment_viewed', true]], 'the page’s callback was called as ever')
  })
}

story('told on every page, it is sent once in the session', async (world) => {
  const page = html(snippet(world.origin), init(), OURS, attach, avsb({ again: true }))
  const tab = await world.open('/', page)
  await world.delivered(tab, 1, NAME)
  await world.open('/', undefined, tab)
  await world.counted(tab, 'duplicate')
  await world.delivered(tab, 1, NAME)
})

story('conversions come the same way and are not sent', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), OURS, attach, avsb({ gtm: true }), script('avsb.track.event(12345,{revenue:49.99})')))
  await world.delivered(tab, 1, NAME)
  assert.equal((await world.diagnose(tab)).decisions.length, 1)
})

for (const dedupe of ['session', 'none']) {
  story(`callback and dataLayer tell of the same, and that counts once; dedupe "${dedupe}"`, async (world) => {
    const tab = await world.open('/', html(snippet(world.origin), init({ dedupe }), script('window.dataLayer=[]'), OURS, attach, avsb({ gtm: true })))
    await world.delivered(tab, 1, NAME)
    assert.equal((await world.diagnose(tab)).decisions.length, 1)
  })
}

for (const [title, page] of [
  ['before us', (world) => html(snippet(world.origin), avsb({ gtm: true, callback: false }), init(), tag())],
  ['after us', (world) => html(snippet(world.origin), init({ sources: ['avsb'] }), script('window.dataLayer=[]'), OURS, lateAvsb({ gtm: true, callback: false }))],
  ['after us, into a dataLayer that A vs B makes', (world) => html(snippet(world.origin), init(), OURS, lateAvsb({ gtm: true, callback: false }))],
  ['without A vs B’s own object', (world) => html(snippet(world.origin), script(`window.dataLayer=[{event:'gtm.js'},null,${js({ event: 'avsb_experiment', ...SENT, revenue: null })}]`), init(), tag())],
  ['under the name that the site gave it', (world) => html(snippet(world.origin), avsb({ gtm: 'ab_seen', callback: false }), init({ sourceOptions: { avsb: { dataLayerEvent: 'ab_seen' } } }), tag())],
]) {
  story(`an exposure in the dataLayer alone is sent: ${title}`, async (world) => {
    const tab = await world.open('/', page(world))
    const [event] = await world.delivered(tab, 1, NAME)
    assert.deepEqual(event.properties, SENT)
  })
}

story('Tag Manager, which takes over the dataLayer, gets everything and in its order', async (world) => {
  const manager = script(`window.seen=[];const push=dataLayer.push;dataLayer.push=function(...all){seen.push(...all.map(({event})=>event));return push.apply(dataLayer,all)}`)
  const page = html(snippet(world.origin), init(), script('window.dataLayer=[{event:"first"}]'), OURS, attach, script('dataLayer.push({event:"second"})'), manager, avsb({ gtm: true, callback: false }), script('window.length=dataLayer.push({event:"last"})'))
  const tab = await world.open('/', page)
  await world.delivered(tab, 1, NAME)
  assert.deepEqual(await tab.evaluate(() => [window.seen, window.dataLayer.map(({ event }) => event), window.length]), [['avsb_experiment', 'last'], ['first', 'second', 'avsb_experiment', 'last'], 4])
})

story('a preview is no exposure, on the next pages of the tab neither', async (world) => {
  world.server.pages.set('/next', html(snippet(world.origin), init(), OURS, attach, avsb({ again: true })))
  const tab = await world.open('/?avsb_preview_token=signed', html(snippet(world.origin), init(), OURS, attach, avsb()))
  await world.counted(tab, 'preview')
  await tab.goto(`${world.origin}/next`)
  await world.counted(tab, 'preview')
  await world.delivered(tab, 0, NAME)
  assert.match((await world.diagnose(tab)).decisions[0].reason, /avsb_preview_token/)
})

story('a page without A vs B gets no window.avsb and no dataLayer', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), tag()))
  await world.settle(tab)
  assert.deepEqual(await tab.evaluate(() => ['avsb' in window, 'dataLayer' in window]), [false, false])
})

story('detached, A vs B is as it was', async (world) => {
  const page = html(snippet(world.origin), init({ sources: [] }), OURS, script('window.dataLayer=[]'), callback, script('window.was=avsb.onEvent'), attach, script('detach()'), avsb({ gtm: true }))
  const tab = await world.open('/', page)
  await world.delivered(tab, 0, NAME)
  assert.deepEqual(await tab.evaluate(() => [window.avsb.onEvent === window.was, Object.keys(window.dataLayer), window.calls.length]), [true, ['0'], 1])
  const { value, writable } = await tab.evaluate(() => {
    const { value, writable } = Object.getOwnPropertyDescriptor(window.avsb, 'onEvent')
    return { value: typeof value, writable }
  })
  assert.deepEqual([value, writable], ['function', true])
})

story('visitors are told apart by A vs B’s own id', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), init(), OURS, attach, avsb()))
  await world.delivered(tab, 1, NAME)
  const [{ userId }] = (await world.diagnose(tab)).decisions
  assert.equal(userId, await tab.evaluate(() => window.avsb.getVisitorId()))
})
