// What every story stands on: a browser per file, a fresh profile and a fresh server per story, and
// the checks no story may fail, whatever it is about: no uncaught error, no unhandled rejection,
// nothing added to the built-in prototypes, no timer of ours left when idle, no request to a
// foreign host, no complaint of ours on the console that the story does not expect.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { serve } from '../../www/demo/server.mjs'
import { LEAN, start } from '../chromium.mjs'
import { watch } from './watch.mjs'

const PATIENCE_MS = 20_000

/**
 * With BRIDGE=fallback every story plays where WebAssembly is forbidden: all pages get a policy that
 * allows everything but that, so that what runs is the fallback, fetched as visitors fetch it.
 */
export const FALLBACK = process.env.BRIDGE === 'fallback'
/** Of what a policy reports, all but the one attempt at WebAssembly that the fallback costs. */
export const butTheAttempt = (reports) => reports.filter((report) => !FALLBACK || report !== 'script-src wasm-eval')
const ALL_ELSE = "script-src * 'unsafe-inline' data: blob:"
const withoutWasm = (own) => (own ? own.replace(" 'wasm-unsafe-eval'", '') : ALL_ELSE)
const SAYS_SO = /^\[decision-bridge\] WebAssembly cannot run, the fallback takes over/

/** What a file of stories wants of its browser beyond the usual; in `executablePath` another one. */
export const launch = {}

// With the first story, not in a `before` hook: Node runs that one before the file could say what it wants.
let browser
const theBrowser = () => (browser ??= start(LEAN, launch))
after(async () => (await browser)?.close())

/** Waits until `condition` gives something, and gives that. */
export async function until(condition, what, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > deadline) assert.fail(`waited in vain until ${typeof what === 'function' ? what() : what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/**
 * One story. `play` gets the world: the server, tabs of a fresh profile, and what arrived.
 * `expects.errors` says that our complaints on the console belong to the story; `expects.hosts`
 * names foreign hosts that somebody else on the page may ask.
 */
export function story(name, play, expects = {}) {
  test(name, { timeout: 90_000 }, async () => {
    const server = await serve()
    if (FALLBACK) server.policy = withoutWasm
    const worlds = []
    const world = await visitor(server, expects, worlds)
    try {
      await play(world)
      for (const each of worlds) await each.check()
    } finally {
      for (const each of worlds) await each.context.close()
      await server.close()
    }
  })
}

/** A visitor: a browser profile with its tabs. */
async function visitor(server, expects, worlds) {
  const context = await (await theBrowser()).newContext()
  const tabs = []
  const foreign = []
  const host = new URL(server.origin).host
  await context.addInitScript(watch)
  context.on('request', (request) => {
    const url = new URL(request.url())
    const asked = /^https?:/.test(url.protocol) && url.host !== host
    if (asked && !(expects.hosts ?? []).includes(url.hostname)) foreign.push(request.url())
  })

  const world = {
    server,
    context,
    origin: server.origin,
    /** Everything said on the consoles of this visitor, as `{type, text}`; but for what every page on the fallback says. */
    said: [],
    thrown: [],
    /** Our own lines on the console, of one type or of all. */
    ours: (type) => world.said.filter((line) => line.text.startsWith('[decision-bridge]') && (!type || line.type === type)),
    visitor: () => visitor(server, expects, worlds),

    async tab() {
      const page = await context.newPage()
      page.on('pageerror', (error) => world.thrown.push(String(error?.stack ?? error)))
      page.on('console', (message) => {
        const line = { type: message.type(), text: message.text() }
        if (!FALLBACK || !SAYS_SO.test(line.text)) world.said.push(line)
      })
      tabs.push(page)
      return page
    },

    /** Puts a page under a path and opens it, in a new tab or in the one given. */
    async open(path, html, tab) {
      if (html !== undefined) server.pages.set(new URL(path, server.origin).pathname, html)
      const page = tab ?? (await world.tab())
      if (tab) await world.checkPage(tab)
      // Not `load`: a script that hangs would keep the page from it.
      await page.goto(server.origin + path, { waitUntil: 'domcontentloaded' })
      return page
    },

    /** Waits until the module runs and has no timer left: there is nothing it still waits for. */
    idle: (page) =>
      until(
        () => page.evaluate(() => window.__watch.timers() === 0 && window.decisionBridge.diagnose?.().state === 'running').catch(() => false),
        'the bridge is idle',
      ),

    /** Waits until this page has nothing left to send, and proves it by an event sent last. */
    async settle(page) {
      await world.idle(page)
      const sentinel = `Sentinel ${Math.random()}`
      await page.evaluate((name) => void window.analytics.track(name), sentinel)
      await until(() => server.events.some((event) => event.event === sentinel), 'the last event arrives')
    },

    /** The exposures that arrived, a repeated messageId counted once. */
    exposures: (name = 'Experiment Viewed') => server.unique().filter((event) => event.type === 'track' && event.event === name),

    /**
     * Waits for the exposures to arrive, then until nothing more comes; exactly `count` it must be.
     * Where a page was left in between, a repeat under the same messageId is what must happen;
     * else each exposure comes over the line once.
     */
    async delivered(page, count = 1, { name = 'Experiment Viewed', repeats = false } = {}) {
      await until(() => world.exposures(name).length >= count, () => `${count} exposures arrive, not ${world.exposures(name).length}`)
      await world.settle(page)
      assert.equal(world.exposures(name).length, count, 'exposures that arrived')
      if (!repeats) assert.equal(world.sent(name).length, count, 'exposures sent, repeats included')
      return world.exposures(name)
    },

    /** What came over the line, repeats included. */
    sent: (name = 'Experiment Viewed') => server.events.filter((event) => event.type === 'track' && event.event === name),

    /** Waits until the report counts so many decisions under a verdict, or under `pending`, where the core holds them. */
    counted: (page, verdict, count = 1) =>
      until(
        () =>
          page
            .evaluate(
              ([verdict, count]) => {
                const { state, counts } = window.decisionBridge.diagnose?.() ?? {}
                return counts?.[verdict] === count && (verdict !== 'pending' || state !== 'starting')
              },
              [verdict, count],
            )
            .catch(() => false),
        () => `the report counts ${count} ${verdict}`,
      ),

    /** The report; empty as long as our script is not there. */
    diagnose: (page) => page.evaluate(() => window.decisionBridge?.diagnose?.() ?? {}),

    async checkPage(page) {
      if (page.isClosed() || !page.url().startsWith('http')) return
      const changed = await page.evaluate(() => window.__watch.changed()).catch(() => [])
      assert.deepEqual(changed, [], `built-in prototypes changed on ${page.url()}`)
      const attempts = await page.evaluate(() => window.__watch.attempts()).catch(() => 0)
      assert.ok(attempts <= 1, `reports that WebAssembly was tried on ${page.url()}: at most one, not ${attempts}`)
    },

    async check() {
      for (const page of tabs) {
        await world.checkPage(page)
        if (page.isClosed() || !page.url().startsWith('http')) continue
        await until(
          () => page.evaluate(() => window.__watch.timers() === 0),
          `no timer of the bridge is left on ${page.url()}`,
        )
      }
      assert.deepEqual(world.thrown, [], 'uncaught errors and unhandled rejections')
      assert.deepEqual(foreign, [], 'requests to foreign hosts')
      if (FALLBACK) {
        const fetched = (file) => server.requests.filter(({ path }) => path.startsWith(`/dist/${file}`)).length
        assert.ok(fetched('decision-bridge-fallback.js') > 0 || fetched('decision-bridge.js') === 0, 'it was the fallback that ran')
      }
      if (!expects.errors) assert.deepEqual(world.ours('error'), [], 'complaints of ours on the console')
    },
  }
  worlds.push(world)
  return world
}
