// Google: what stands in the dataLayer. gtag.js and Tag Manager are on no registry, so that their side
// of it is not run.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, push, script, tag } from './pages.mjs'

const GTAG = 'window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag("js",new Date());gtag("config","G-1")'
// gtag.js takes `arguments` for calls, and nothing else.
const entries = (page) =>
  page.evaluate(() => [...window.dataLayer].map((entry) => [Object.prototype.toString.call(entry), JSON.parse(JSON.stringify(Array.from(entry.length ? entry : [entry])))]))
const exposures = async (page) => (await entries(page)).filter(([, [first, name]]) => name === 'experience_impression' || first?.event === 'Experiment Viewed')

for (const [name, code] of [['its snippet', GTAG], ['a dataLayer alone', 'window.dataLayer=[]']]) {
  story(`GA4, with ${name}, is told once`, async (world) => {
    const options = { destinations: ['ga4'], properties: { site: 'shop' } }
    const page = await world.open('/', html(script(code), init(options), push('trackDecision', decision()), push('trackDecision', decision()), tag()))
    await world.counted(page, 'delivered')
    await world.counted(page, 'duplicate')
    const told = { exp_variant_string: 'direct-100-200', site: 'shop' }
    assert.deepEqual(await exposures(page), [['[object Arguments]', ['event', 'experience_impression', told]]])
    await world.open('/second', html(script(code), init(options), push('trackDecision', decision()), tag()), page)
    await world.counted(page, 'duplicate')
    assert.deepEqual(await exposures(page), [])
  })
}

story('Google Tag Manager is told once, in the words of the source', async (world) => {
  const options = { destinations: ['gtm'] }
  const page = await world.open('/', html(script('window.dataLayer=[{theirs:1}]'), init(options), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  const [[kind, [{ assignedAt, ...told }]]] = await exposures(page)
  assert.equal(kind, '[object Object]')
  assert.deepEqual(told, { event: 'Experiment Viewed', experimentId: '100', experimentName: '100', variationId: '200', variationName: '200' })
  assert.ok(Date.parse(assignedAt) > 0)
  await world.open('/second', html(script('window.dataLayer=[]'), init(options), push('trackDecision', decision()), tag()), page)
  await world.counted(page, 'duplicate')
  assert.deepEqual(await exposures(page), [])
})

story('a dataLayer that comes late is told then, and one that nobody named is left alone', async (world) => {
  const page = await world.open('/', html(init({ destinations: ['gtm', 'ga4'] }), push('trackDecision', decision()), tag()))
  await world.counted(page, 'pending')
  await page.evaluate(() => void (window.dataLayer = []))
  await page.evaluate(() => window.decisionBridge.flush())
  await world.counted(page, 'delivered')
  assert.equal((await exposures(page)).length, 2)
  const other = await world.visitor()
  const alone = await other.open('/alone', html(script(GTAG), init({ maxWaitMs: 100 }), push('trackDecision', decision()), tag()))
  await until(async () => (await other.diagnose(alone)).warnings?.length, 'nobody is there to be told')
  await other.idle(alone)
  assert.equal((await entries(alone)).length, 2)
})
