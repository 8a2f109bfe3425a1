// The demo: its stories, and a switch for each tool, with the real SDKs under the page's own CSP.

import assert from 'node:assert/strict'
import { DESTINATIONS, SOURCES } from '../../www/demo/tools.js'
import { story, until } from './harness.mjs'

const CHOICE = 'Your choice of tools'

/** The demo once its first story has come to its end. Nothing may be said on the console. */
async function demo(world) {
  const page = await world.open('/')
  await ends(page, 'A decision')
  return page
}

/** Waits until the story on show is over; a choice of tools never is, there all has to hold. Gives the claims. */
async function ends(page, title) {
  const told = () =>
    page.evaluate(() => {
      const state = document.querySelector('#story').dataset.state
      const claims = [...document.querySelectorAll('#claims li')].map((each) => [each.lastChild.textContent, each.dataset.claim])
      return { title: document.querySelector('#story-title').textContent, state, claims }
    })
  let last
  await until(async () => {
    last = await told()
    const { state, claims } = last
    const done = title === CHOICE ? claims.every(([, claim]) => claim === 'true') : state !== 'plays'
    return last.title === title && done
  }, () => `the story ends: ${JSON.stringify(last)}`)
  return last.claims
}

const holds = (claims) => assert.deepEqual(claims.filter(([, claim]) => claim !== 'true'), [])

/** Errors and warnings on the console, whoever's. */
const complaints = (world) => world.said.filter(({ type }) => ['error', 'warning'].includes(type))

/** The arrivals on show: destination and text of each card. */
const shown = (page) =>
  page.evaluate(() => [...document.querySelectorAll('#events .card')].map((each) => [each.dataset.destination, each.textContent]))

const flip = (page, name, kind) => page.check(`input[name="${name}"][value="${kind}"]`)

story('the first story delivers one event, with the tools that are on by default', async (world) => {
  const page = await demo(world)
  holds(await ends(page, 'A decision'))
  const [[destination, text], ...more] = await shown(page)
  assert.deepEqual([destination, more], ['segment', []])
  assert.match(text, /Warm light/)
  const on = await page.evaluate(() => [...document.querySelectorAll('.switches input:checked')].map((each) => each.value))
  assert.deepEqual(on, ['optimizelyWeb', 'segment'])
  assert.deepEqual(complaints(world), [])
})

story('each source that is switched on decides one experiment more, which arrives at Segment', async (world) => {
  const page = await demo(world)
  for (const [at, { kind }] of SOURCES.entries()) {
    await flip(page, 'sources', kind)
    if (at === 0) continue
    await until(async () => (await shown(page)).length === at + 1, () => `an exposure of ${kind} arrives`)
    await until(
      () => page.evaluate((kind) => document.querySelector('iframe').contentWindow.decisionBridge.diagnose().decisions.some(({ source }) => source === kind), kind),
      `the report tells of ${kind}`,
    )
  }
  holds(await ends(page, CHOICE))
  assert.deepEqual(new Set((await shown(page)).map(([destination]) => destination)), new Set(['segment']))
  assert.deepEqual(complaints(world), [])
})

story('each destination that is switched on is told, in its own words, and no other again', async (world) => {
  const page = await demo(world)
  for (const [at, { kind, label }] of DESTINATIONS.entries()) {
    await flip(page, 'destinations', kind)
    await until(async () => (await shown(page)).some(([destination]) => destination === kind), () => `an exposure arrives at ${kind}`)
    const [, text] = (await shown(page)).find(([destination]) => destination === kind)
    assert.ok(text.includes(label), text)
    assert.match(text, /Warm light|5311042897612804/, `${kind} is told of the variation`)
    assert.equal((await shown(page)).length, at + 1)
  }
  holds(await ends(page, CHOICE))
  assert.deepEqual(complaints(world), [])
})

story('a tool that is switched off is off the page, and the shop’s links keep what is on', async (world) => {
  const page = await demo(world)
  await flip(page, 'sources', 'growthbook')
  const shop = page.frameLocator('iframe')
  const inside = (what) => page.evaluate((what) => typeof document.querySelector('iframe').contentWindow[what], what)
  await until(async () => (await inside('growthbook')) === 'object', 'GrowthBook is on the page')
  await page.uncheck('input[value="optimizelyWeb"]')
  await until(async () => (await inside('growthbook')) === 'object' && (await inside('optimizely')) === 'undefined', 'Optimizely is not')
  await shop.locator('nav [data-go="next"]').click()
  await until(() => page.frames().some((frame) => /page=bag.*sources=growthbook&destinations=segment/.test(frame.url())), 'the next page has them too')
  await page.click('[data-story="reload"]')
  holds(await ends(page, 'Reload'))
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('.switches input:checked')].map((each) => each.value)), ['optimizelyWeb', 'segment'])
})

story('every tool at once: each exposure once at each destination', async (world) => {
  const page = await demo(world)
  await page.click('[data-story="every"]')
  holds(await ends(page, 'Every tool at once'))
  const cards = await shown(page)
  assert.equal(cards.length, SOURCES.length * DESTINATIONS.length)
  const station = await page.textContent('[data-station="destination"]')
  for (const { label } of DESTINATIONS) assert.ok(station.includes(label), `${label} is named by its station`)
  const snippet = await page.textContent('#snippet')
  for (const { paste } of SOURCES) assert.ok(snippet.includes(paste ?? ''), paste)
  assert.match(snippet, /destinations:\[.*"ga4","gtm"\]/)
  for (const { kind } of DESTINATIONS) assert.equal(cards.filter(([destination]) => destination === kind).length, SOURCES.length, kind)
  assert.deepEqual(complaints(world), [])
})

story('the switches are labelled, and the keyboard reaches them', async (world) => {
  const page = await demo(world)
  for (const { label, standIn } of [...SOURCES, ...DESTINATIONS]) {
    const name = standIn ? `${label} stand-in` : label
    assert.equal(await page.getByRole('checkbox', { name, exact: true }).count(), 1, name)
  }
  await page.getByRole('checkbox', { name: 'Segment' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await until(async () => (await shown(page)).some(([destination]) => destination === 'amplitude'), 'Amplitude is told')
})
