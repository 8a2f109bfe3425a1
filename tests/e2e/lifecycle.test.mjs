// Pages that rest in the back-forward cache, and tabs that share or copy what waits.

import assert from 'node:assert/strict'
import { WHOLE, program } from '../chromium.mjs'
import { launch, story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, tag } from './pages.mjs'

// Playwright turns the cache off.
launch.ignoreDefaultArgs = ['--disable-back-forward-cache']
launch.executablePath = program('CHROMIUM', WHOLE)

/** With `no-store`, as the server sends it otherwise, Chromium keeps no page. */
const cacheable = (html) => ({ html, headers: { 'cache-control': 'no-cache' } })
const watched = script(`addEventListener('pageshow',(event)=>{if(event.persisted)window.restored=true})`)
const waitingPage = (options = {}) => html(watched, init(options), push('trackDecision', decision()), tag())

/** Away to another page, and back by the browser's own history. */
async function awayAndBack(world, page, path, meanwhile) {
  await page.evaluate((path) => {
    location.href = path
  }, path)
  await page.waitForURL(`**${path}`)
  await meanwhile(page)
  await page.evaluate(() => history.back())
  await until(() => page.evaluate(() => window.restored === true).catch(() => false), 'the page is restored from the cache')
}

story('a page with our script can rest in the back-forward cache, and the time away is not waited', async (world) => {
  world.server.pages.set('/away', cacheable(html()))
  const page = await world.open('/', cacheable(waitingPage({ maxWaitMs: 6000 })))
  await world.counted(page, 'pending')
  await awayAndBack(world, page, '/away', (page) => page.waitForTimeout(7000))
  await page.evaluate(() => {
    window.told = []
    window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
  })
  await until(() => page.evaluate(() => window.told.length > 0), 'the restored page still looks, and delivers')
  assert.deepEqual(await page.evaluate(() => window.told), ['100'])
})

story('what another page delivered meanwhile, the restored page does not tell a second time', async (world) => {
  world.server.pages.set('/away', cacheable(html(snippet(world.origin), init(), tag())))
  const page = await world.open('/', cacheable(waitingPage()))
  await world.counted(page, 'pending')
  await awayAndBack(world, page, '/away', () => until(() => world.sent().length === 1, 'the other page delivers'))
  await page.evaluate(() => {
    window.told = []
    window.analytics = { track: (name, properties) => void window.told.push(properties.experimentId) }
    window.decisionBridge.flush()
  })
  await world.idle(page)
  assert.deepEqual(await page.evaluate(() => window.told), [])
})

story('a window opened while a decision waits copies the tab’s storage: still one event', async (world) => {
  world.server.pages.set('/second', html(snippet(world.origin), init(), tag()))
  const page = await world.open('/first', waitingPage())
  await world.counted(page, 'pending')
  const [opened] = await Promise.all([world.context.waitForEvent('page'), page.evaluate(() => void window.open('/second'))])
  await until(() => opened.evaluate(() => window.analytics?.initialized === true).catch(() => false), 'the opened window has analytics')
  await world.settle(opened)
  assert.equal(world.sent().length, 0, 'the page that waits is alive')
  await world.open('/second', undefined, page)
  await world.settle(page)
  assert.deepEqual([world.sent().length, world.exposures().length], [1, 1])
  await opened.close()
})

story('two tabs that find the same waiting decision: one event', async (world) => {
  world.server.pages.set('/second', html(snippet(world.origin), init(), tag()))
  const page = await world.open('/first', waitingPage())
  await world.counted(page, 'pending')
  await page.goto('about:blank')
  const tabs = [page, await world.tab(), await world.tab()]
  await Promise.all(tabs.map((tab) => tab.goto(`${world.origin}/second`)))
  for (const tab of tabs) await world.settle(tab)
  assert.equal(world.exposures().length, 1)
})

story('the tab is closed while a decision waits: nothing breaks, and the next visit tells only its own', async (world) => {
  const page = await world.open('/first', waitingPage())
  await world.counted(page, 'pending')
  await page.close({ runBeforeUnload: true })
  const next = await world.open('/second', html(snippet(world.origin), init(), push('trackDecision', decision({ experimentId: 'next' })), tag()))
  await until(() => world.exposures().some((event) => event.properties.experimentId === 'next'), 'its own arrives')
  await world.settle(next)
  // The session goes on in the new tab, so the waiting one may be told there, at most once.
  assert.ok(world.exposures().filter((event) => event.properties.experimentId === '100').length <= 1)
})
