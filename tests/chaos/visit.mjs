// Plays a planned visit: a browser profile and a server of its own, its tabs side by side, the page
// on which it comes to rest. Gives what the collector accepted and what the pages reported.

import { readFileSync } from 'node:fs'
import { serve } from '../../www/demo/server.mjs'
import { HASTE, pageHtml } from './page.mjs'
import { pagesOf } from './plan.mjs'

const built = () => readFileSync(new URL('../../dist/decision-bridge.js', import.meta.url), 'utf8')

/** What a tab may take at most, in real ms. */
const PATIENCE_MS = 120_000

/** How long the visitor stays at rest, in ms of the page: analytics.js sends again within 5 s what an earlier page left. */
const REST_MS = 7_000

/** How long we wait there for what is still on its way, in ms of the page. */
const LONGEST_REST_MS = 300_000
/** The same where losses are to be expected. */
const REST_WITH_LOSSES_MS = 15_000

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Plays `visit` for a rival. `settled(seen)` says whether everything that was due has come.
 * `sabotage` breaks something on purpose.
 */
export async function play(browser, visit, { rival, settled, sabotage }) {
  const server = await serve()
  const epoch = Date.now()
  const seen = { events: [], refused: [], reports: new Map(), thrown: [], said: [], stuck: [] }
  route(server, visit, { rival, epoch, amnesia: sabotage === 'amnesia' }, seen)
  const faults = collector(server)
  const context = await browser.newContext()
  const collect = () => (seen.events = tamper(sabotage, server.events))
  try {
    const tabs = await Promise.all(visit.tabs.map(() => open(context, seen)))
    await Promise.all(tabs.map((tab, at) => tab.visit(server.origin + visit.tabs[at][0].path, seen)))
    if (visit.home) {
      faults.length = 0
      const tab = tabs[visit.home.tab] ?? (await open(context, seen))
      await tab.visit(server.origin + visit.home.path, seen)
      const longest = rival === 'recipe' || sabotage ? REST_WITH_LOSSES_MS : LONGEST_REST_MS
      await rest(tab.page, rival, server, longest, () => settled({ ...seen, events: collect() }))
    }
    for (const page of context.pages()) await page.evaluate(() => chaos.report())
    await later(200) // beacons are sent when they are sent
  } catch (error) {
    seen.stuck.push(String(error?.message ?? error))
  } finally {
    await context.close()
    await server.close()
  }
  collect()
  // What is sabotaged must not be excused.
  if (!sabotage) seen.refused = server.refused
  return seen
}

/** Puts the pages of the visit where its tabs look for them. */
function route(server, visit, options, seen) {
  const firsts = visit.tabs.map(([first]) => first)
  let together
  const all = new Promise((resolve) => (together = resolve))
  const waiting = new Map()
  for (const page of pagesOf(visit)) {
    const queue = waiting.get(page.path) ?? []
    waiting.set(page.path, [...queue, page])
  }
  let arrived = 0
  for (const [path, queue] of waiting) {
    server.pages.set(path, async () => {
      const page = queue.length > 1 ? queue.shift() : queue[0]
      // Two tabs that open together really do.
      if (firsts.includes(page) && (arrived += 1) === firsts.length) together()
      if (firsts.includes(page)) await all
      server.next(page.faults)
      return pageHtml(visit, page, { ...options, origin: server.origin })
    })
  }
  server.pages.set('/slow/decision-bridge.js', async () => {
    await later(1500 / HASTE)
    return { html: built(), headers: { 'content-type': 'text/javascript' } }
  })
  server.pages.set('/report', async (url, request) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const [page, turn] = ['page', 'turn'].map((name) => Number(url.searchParams.get(name)))
    const known = seen.reports.get(page)
    // Beacons of a page may overtake each other.
    if (!known || known.turn < turn) seen.reports.set(page, { turn, ...JSON.parse(Buffer.concat(chunks)) })
    return ''
  })
}

/** Makes the collector do to one request after the other what the page in front of it plans. */
function collector(server) {
  const faults = []
  const answers = { refuse: { status: 500 }, lose: { loseAnswers: true }, slow: { delayMs: 400 } }
  Object.defineProperty(server, 'ingestion', { get: () => ({ delayMs: 0, status: 200, loseAnswers: false, ...answers[faults.shift()] }) })
  server.next = (planned) => faults.push(...planned)
  return faults
}

async function open(context, seen) {
  const page = await context.newPage()
  let ended
  page.on('pageerror', (error) => seen.thrown.push(String(error?.stack ?? error)))
  page.on('console', (message) => {
    const text = message.text()
    if (text === 'chaos: close' || text === 'chaos: stay') ended(text)
    else if (text.startsWith('[decision-bridge]')) seen.said.push({ type: message.type(), text })
  })
  return {
    page,
    async visit(url) {
      const end = new Promise((resolve, reject) => {
        const patience = setTimeout(() => reject(new Error(`the tab of ${url} does not come to its end`)), PATIENCE_MS)
        ended = (text) => resolve(clearTimeout(patience) ?? text)
      })
      await page.goto(url, { waitUntil: 'commit' })
      if ((await end) === 'chaos: close') await page.close()
    },
  }
}

/** Stays until all is told, and then for a while, so that what comes too much is seen too. */
async function rest(page, rival, server, longest, settled) {
  const began = Date.now()
  const passed = () => (Date.now() - began) * HASTE
  const idle = () => page.evaluate(() => window.decisionBridge?.diagnose?.().counts.pending === 0)
  let last
  while (passed() < longest) {
    await later(100)
    if (rival === 'ours' && !(await idle())) continue
    if (passed() < REST_MS || !settled()) continue
    // One event after all others has come: so have they.
    last ??= await page.evaluate(() => {
      const name = `Last ${Math.random()}`
      window.analytics?.track?.(name)
      return name
    })
    if (server.events.some(({ event }) => event === last)) return
  }
}

/** The ways to break what is measured, each of which the judge has to notice. */
export const SABOTAGE = {
  forget: 'the collector forgets one exposure that it had accepted',
  rename: 'the collector takes each request for an event of its own, whatever its messageId',
  amnesia: 'every page begins with empty storage',
}

function tamper(sabotage, events) {
  if (sabotage === 'rename') return events.map((event, at) => ({ ...event, messageId: `${event.messageId}-${at}` }))
  if (sabotage !== 'forget') return [...events]
  const victim = events.find(({ event }) => event === 'Experiment Viewed')?.messageId
  return events.filter(({ messageId }) => messageId !== victim)
}
