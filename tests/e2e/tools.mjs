// The analytics tools beside Segment, with their real SDKs: how each is put on a page, and the
// stories that hold for all of them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { story, until } from './harness.mjs'
import { decision, html, init, push, script, tag } from './pages.mjs'

const packageText = (path) => readFileSync(new URL(`../node_modules/${path}`, import.meta.url), 'utf8')

const amplitudeSnippet = packageText('@amplitude/analytics-browser/lib/scripts/amplitude-snippet-min.js')
const mixpanelSnippet = packageText('mixpanel-browser/dist/mixpanel-jslib-snippet.min.js')

/**
 * A stub of the kind RudderStack and PostHog tell to paste: an array that keeps calls as
 * `[method, …arguments]`. Both take over what such an array holds.
 */
const arrayStub = (name, methods, source) => `{
  const stub = window.${name} = window.${name} || []
  for (const method of ${JSON.stringify(methods)}) {
    stub[method] = (...args) => window.${name} === stub ? void stub.push([method, ...args]) : window.${name}[method](...args)
  }
  const script = document.createElement('script')
  script.async = true
  script.src = ${JSON.stringify(source)}
  document.head.append(script)
}`

/**
 * Each tool: `snippet` puts it on the page, loading its SDK from `sdk` and sending to `server`;
 * `loaded` and `say` run in the page; `key`, `time` (ms), `name` and `properties` read what arrived.
 */
export const TOOLS = {
  amplitude: {
    object: 'amplitude',
    snippet: (sdk, server) =>
      amplitudeSnippet
        .replace(/integrity="[^"]*"/, 'integrity=""')
        .replace(/src="[^"]*"/, `src=${JSON.stringify(`${sdk}amplitude.js`)}`) +
      `;amplitude.init('0123456789abcdef',{serverUrl:'${server}/2/httpapi',fetchRemoteConfig:false,autocapture:false,flushIntervalMillis:50})`,
    loaded: () => typeof window.amplitude?.runQueuedFunctions === 'function' && window.amplitude.getDeviceId() !== undefined,
    say: (name) => void window.amplitude.track(name),
    name: (body) => body.event_type,
    properties: (body) => body.event_properties,
    key: (body) => body.insert_id,
    time: (body) => body.time,
  },
  rudderstack: {
    object: 'rudderanalytics',
    snippet: (sdk, server) =>
      arrayStub('rudderanalytics', ['load', 'ready', 'page', 'track', 'identify', 'reset'], `${sdk}rudderstack.js`) +
      `;rudderanalytics.snippetExecuted=true;rudderanalytics.load('2abcdefghijklmnopqrstuvwxyz','${server}',{configUrl:'${server}'})`,
    loaded: () => !Array.isArray(window.rudderanalytics) && !!window.rudderanalytics?.getAnonymousId?.(),
    say: (name) => window.rudderanalytics.track(name),
    name: (body) => body.event,
    properties: ({ properties: { idempotencyKey, ...rest } }) => rest,
    key: (body) => body.properties.idempotencyKey,
    time: (body) => Date.parse(body.originalTimestamp),
  },
  mixpanel: {
    object: 'mixpanel',
    snippet: (sdk, server) =>
      `window.MIXPANEL_CUSTOM_LIB_URL='${sdk}mixpanel.js';${mixpanelSnippet}` +
      `;mixpanel.init('token',{api_host:'${server}',opt_out_useragent_filter:true,persistence:'localStorage',batch_flush_interval_ms:100})`,
    loaded: () => window.mixpanel?.__loaded === true,
    say: (name) => void window.mixpanel.track(name),
    name: (body) => body.event,
    // Mixpanel's own begin with $, or have small letters.
    properties: (body) => Object.fromEntries(Object.entries(body.properties).filter(([key]) => /^(?:is)?[A-Z]/.test(key))),
    key: (body) => body.properties.$insert_id,
    time: (body) => Math.round(body.properties.time * 1000),
  },
  posthog: {
    object: 'posthog',
    snippet: (sdk, server) =>
      `window.posthog=[];posthog._i=[];posthog.__SV=1;posthog.people=[];` +
      arrayStub('posthog', ['capture', 'identify', 'register', 'reset'], `${sdk}posthog.js`) +
      `;posthog.init=(...args)=>posthog._i.push([args[0],args[1],'posthog']);` +
      `posthog.init('phc_key',{api_host:'${server}',opt_out_useragent_filter:true,disable_compression:true,autocapture:false,` +
      `capture_pageview:false,capture_pageleave:false,disable_session_recording:true,disable_surveys:true,advanced_disable_flags:true,` +
      `request_batching:false})`,
    loaded: () => window.posthog?.__loaded === true,
    say: (name) => void window.posthog.capture(name),
    name: (body) => body.event,
    properties: (body) => Object.fromEntries(Object.entries(body.properties).filter(([key]) => /^(?:\$feature_flag|is[A-Z])/.test(key))),
    key: (body) => body.uuid,
    time: (body) => Date.parse(body.timestamp),
  },
}

/** The tool on a page; `faults` are those of its script: `delay-800/`. */
export const tool = (kind, world, faults = '') =>
  script(TOOLS[kind].snippet(`${world.origin}/sdk/${faults}`, `${world.origin}/collect/${kind}`))

/** What a tool was told, repeats included. */
export const told = (world, kind, name) =>
  world.server.told.filter((each) => each.tool === kind && TOOLS[kind].name(each.body) === name).map(({ body }) => body)

const loaded = (page, kind) => until(() => page.evaluate(TOOLS[kind].loaded), `the real ${kind} is there`)

/** Waits until the real tool has nothing of ours left to send, and proves it by an event sent last. */
async function settle(world, page, kind) {
  await world.idle(page)
  await loaded(page, kind)
  const sentinel = `Sentinel ${Math.random()}`
  await page.evaluate(TOOLS[kind].say, sentinel)
  await until(() => told(world, kind, sentinel).length > 0, `the last event arrives at ${kind}`)
}

/** Waits for the exposures, a repeated key counted once, then until no more come. */
export async function arrives(world, page, kind, name, count = 1, { repeats = false } = {}) {
  const { key } = TOOLS[kind]
  const unique = () => [...new Map(told(world, kind, name).map((body) => [key(body), body])).values()]
  await until(() => unique().length >= count, () => `${count} exposures arrive at ${kind}, not ${unique().length}`)
  await settle(world, page, kind)
  assert.equal(unique().length, count, `exposures that arrived at ${kind}`)
  if (!repeats) assert.equal(told(world, kind, name).length, count, `exposures sent to ${kind}, repeats included`)
  return unique()
}

/** Makes a decision now; says between which moments. */
export const decide = (page, fields = {}) =>
  page.evaluate((fields) => {
    const from = Date.now()
    window.decisionBridge.push(['trackDecision', fields])
    return [from, Date.now()]
  }, decision(fields))

export function madeBetween(kind, body, [from, to]) {
  const at = TOOLS[kind].time(body)
  assert.ok(at >= from && at <= to, `the time ${at} is that of the decision, between ${from} and ${to}`)
}

const ours = (page) => until(() => page.evaluate(() => window.decisionBridge?.version), 'our script is there')

/** What holds for every tool: the exposure called `name` with `properties`, under a key like `key`. */
export function toolStories(kind, { name, properties, key }) {
  const good = (body) => {
    const { assignedAt, ...rest } = TOOLS[kind].properties(body)
    assert.deepEqual(rest, properties)
    assert.match(TOOLS[kind].key(body), key)
  }

  for (const [when, options] of [['found by itself', {}], ['named', { destinations: [kind] }]]) {
    story(`${kind}, ${when}, is told once, on this page and the next`, async (world) => {
      const page = await world.open('/', html(tool(kind, world), init(options), tag()))
      await loaded(page, kind)
      await world.idle(page)
      const between = await decide(page)
      const [body] = await arrives(world, page, kind, name)
      good(body)
      madeBetween(kind, body, between)
      await world.counted(page, 'delivered')
      await world.open('/second', html(tool(kind, world), init(options), tag(), push('trackDecision', decision())), page)
      await world.counted(page, 'duplicate')
      await arrives(world, page, kind, name, 1, { repeats: true })
    })
  }

  story(`${kind} as a stub whose script is late: told at once, with the time of the decision`, async (world) => {
    const page = await world.open('/', html(tool(kind, world, 'delay-800/'), init(), tag()))
    await ours(page)
    const between = await decide(page)
    const [body] = await arrives(world, page, kind, name)
    good(body)
    madeBetween(kind, body, between)
    await world.counted(page, 'delivered')
    await world.idle(page)
  })

  story(`${kind} that comes on its own after the decision`, async (world) => {
    const page = await world.open('/', html(init({ maxWaitMs: 0 }), tag()))
    await ours(page)
    const between = await decide(page)
    await world.counted(page, 'pending')
    await page.addScriptTag({ content: TOOLS[kind].snippet(`${world.origin}/sdk/`, `${world.origin}/collect/${kind}`) })
    const [body] = await arrives(world, page, kind, name)
    madeBetween(kind, body, between)
  })

  story(`${kind} is blocked: the next page tells it once, with the time of the decision`, async (world) => {
    const page = await world.open('/', html(tag(), tool(kind, world, 'delay-2000/blocked/'), init({ maxWaitMs: 500 })))
    await ours(page)
    const between = await decide(page)
    await until(async () => (await world.diagnose(page)).warnings?.some(({ message }) => message.includes(`script of ${kind}`)), 'a warning names it')
    await world.idle(page)
    const report = await world.diagnose(page)
    assert.equal(report.destinations.find((each) => each.name === kind).state, 'failed')
    assert.deepEqual([report.counts.delivered, report.counts.pending], [0, 1])
    await world.open('/second', html(tool(kind, world), init(), tag()), page)
    const [body] = await arrives(world, page, kind, name)
    good(body)
    madeBetween(kind, body, between)
    await world.open('/third', html(tool(kind, world), init(), tag()), page)
    await arrives(world, page, kind, name, 1, { repeats: true })
  })

  story(`the page is left right after the decision: ${kind} is told all the same`, async (world) => {
    world.server.pages.set('/next', html(tool(kind, world), init(), tag()))
    const page = await world.open('/', html(tool(kind, world), init(), tag()))
    await loaded(page, kind)
    await world.idle(page)
    const between = await page.evaluate((decision) => {
      const from = Date.now()
      window.decisionBridge.trackDecision(decision)
      const between = [from, Date.now()]
      location.href = '/next'
      return between
    }, decision())
    await page.waitForURL('**/next')
    const [body] = await arrives(world, page, kind, name, 1, { repeats: true })
    good(body)
    madeBetween(kind, body, between)
  })

  story(`what only has the name of ${kind} is left alone`, async (world) => {
    const { object } = TOOLS[kind]
    const strange = [
      `<div id="${object}"></div>`,
      `<form id="${object}"><input name="track"><input name="capture"></form>`,
      script(`window.${object}={version:1}`),
      script(`Object.defineProperty(window,'${object}',{configurable:true,get(){throw new Error('none of your business')}})`),
      `<iframe name="${object}" sandbox srcdoc="other"></iframe>`,
    ]
    const page = await world.tab()
    for (const [at, each] of strange.entries()) {
      await world.open(`/${at}`, html(each, init({ maxWaitMs: 100, destinations: [kind] }), tag(), push('trackDecision', decision())), page)
      await world.idle(page)
      const report = await world.diagnose(page)
      assert.equal(report.destinations.find((found) => found.name === kind).state, 'missing', each)
      assert.equal(report.counts.delivered, 0, each)
    }
    await world.open('/real', html(tool(kind, world), init({ destinations: [kind] }), tag()), page)
    const [body] = await arrives(world, page, kind, name)
    good(body)
  })
}
