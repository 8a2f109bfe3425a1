// The extras: a file beside ours, fetched where the options ask for it, and what happens where it does not
// come.

import assert from 'node:assert/strict'
import { FALLBACK, story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, tag } from './pages.mjs'

const FILE = '/dist/decision-bridge-extras.js'
const asked = (world) => world.server.requests.filter(({ path }) => path === FILE).length
const told = push('trackDecision', decision({ experimentKey: 'hero', variationKey: 'large' }))
const warns = (world) => world.ours('warning').filter(({ text }) => /consentFrom, identify, alias, forwardEvents and statsig do nothing/.test(text)).length
const traits = (world) => world.server.unique().filter(({ type }) => type === 'identify').map((event) => event.traits.experiments)

story('pages whose options ask for nothing of theirs never fetch the extras', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ identify: false, alias: false, statsig: {}, forwardEvents: null }), told, tag()))
  await world.delivered(page)
  assert.equal(asked(world), 0)
})

story('what is decided while the extras are on their way is told after they came, with what they add', async (world) => {
  const held = []
  await world.context.route('**' + FILE, async (route) => {
    await new Promise((go) => held.push(go))
    await route.continue()
  })
  const page = await world.open('/', html(snippet(world.origin), init({ identify: true }), told, tag()))
  await until(() => held.length, 'the extras are asked for')
  assert.equal((await world.diagnose(page)).counts.pending, 1)
  for (const go of held) go()
  await world.delivered(page)
  await until(() => traits(world).length === 1, 'the trait arrives')
  assert.deepEqual(traits(world), [{ hero: 'large' }])
  assert.equal(asked(world), 1)
})

for (const [what, answer] of [
  ['are blocked', (route) => route.abort('blockedbyclient')],
  ['are not there', (route) => route.fulfill({ status: 404, body: 'no' })],
  ['are not what our script expects', (route) => route.fulfill({ contentType: 'text/javascript', body: 'window.changed = true' })],
]) {
  story(`extras that ${what}: one warning, and decisions go on without them`, async (world) => {
    await world.context.route('**' + FILE, answer)
    const page = await world.open('/', html(snippet(world.origin), init({ identify: true }), told, tag()))
    await world.delivered(page)
    assert.equal(warns(world), 1)
    assert.deepEqual(traits(world), [])
    assert.equal(await page.evaluate(() => window.changed), undefined, 'nothing runs that is not ours')
  })
}

story('extras that never answer are waited for three seconds, and no longer', async (world) => {
  await world.context.route('**' + FILE, () => {})
  const page = await world.open('/', html(snippet(world.origin), init({ alias: true }), told, tag()))
  await world.delivered(page)
  assert.equal(warns(world), 1)
})

story('without the extras no consent tool is heard: everything is held, and nothing stored', async (world) => {
  await world.context.route('**' + FILE, (route) => route.abort('blockedbyclient'))
  const page = await world.open('/', html(snippet(world.origin), init({ consentFrom: 'gpc' }), told, tag()))
  await until(() => warns(world) === 1, 'the warning')
  await world.idle(page)
  assert.equal((await world.diagnose(page)).counts.pending, 1)
  assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge')).length), 0)
  await page.evaluate(() => window.decisionBridge.consent(true))
  await world.delivered(page)
})

story('a page that is left before the extras came leaves its decisions to the next one', async (world) => {
  await world.context.route('**' + FILE, () => {})
  // Without WebAssembly who goes before the fallback has run goes before there is anything of ours.
  const ran = script(`document.addEventListener('load',({target})=>{if(/fallback/.test(target.src))window.ran=true},true)`)
  const page = await world.open('/', html(ran, init({ identify: true }), told, tag()))
  await until(() => asked(world) || page.evaluate(() => !!document.querySelector('script[src*="extras"]')), 'the extras are asked for')
  if (FALLBACK) await until(() => page.evaluate(() => window.ran), 'the fallback runs')
  await world.open('/next', html(snippet(world.origin), init(), tag()), page)
  await world.delivered(page)
})
