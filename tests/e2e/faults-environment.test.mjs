// Where and how our script comes: not at all, late, changed on the way, twice, as a module, under
// policies. tests/FAULTS.md, section A, says which fault each of these stories is about.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { integrity } from '../../www/build/sizes.mjs'
import { butTheAttempt, FALLBACK, story, until } from './harness.mjs'
import { WRITE_KEY, abTest, decision, html, init, integration, optimizely, push, script, tag } from './pages.mjs'

const ROOT = new URL('../../', import.meta.url)
const read = (path) => readFile(new URL(path, ROOT), 'utf8')
const served = (text, headers = {}) => ({ html: text, headers: { 'content-type': 'text/javascript', ...headers } })
/** Analytics that needs nothing of the network or of storage. */
const recorder = script(`window.told=[];window.analytics={track:(name,properties)=>told.push(properties.experimentId)}`)
const told = (page) => page.evaluate(() => window.told)

// Not at all

for (const [name, answer] of [
  ['blocked', (route) => route.abort('blockedbyclient')],
  ['not there', (route) => route.fulfill({ status: 404, body: 'not found' })],
  ['an error of the server', (route) => route.fulfill({ status: 500, contentType: 'text/html', body: '<h1>500</h1>' })],
]) {
  story(`our script is ${name}: the page and its experiments go on, and nobody asks for it twice`, async (world) => {
    let asked = 0
    await world.context.route('**/decision-bridge.js', (route) => {
      asked += 1
      return answer(route)
    })
    const page = await world.open('/', html(optimizely({ campaigns: [abTest()], integration: integration() }), init(), push('trackDecision', decision()), tag()))
    await until(() => page.evaluate(() => window.optimizelyStandIn.log !== undefined && document.readyState === 'complete'), 'the page has loaded')
    await page.evaluate((decision) => window.decisionBridge.push(['trackDecision', decision]), decision())
    const queue = await page.evaluate(() => window.decisionBridge.map(([method]) => method))
    assert.deepEqual(queue, ['trackLayerDecision', 'init', 'trackDecision', 'trackDecision'], 'the integration makes the queue where there is none')
    assert.equal(asked, 1)
    assert.deepEqual(world.ours(), [])
  })
}

test('no name of ours is what ad blockers look for', async () => {
  const files = JSON.parse(await read('dist/integrity.json'))
  for (const name of Object.keys(files)) assert.doesNotMatch(name, /analytics|track|segment|pixel|beacon|collect/i)
})

story('our script hangs: the page is parsed and usable without it, since every tag of the README is async', async (world) => {
  const tags = (await read('README.md')).match(/<script[^>]* src=[^>]*decision-bridge\.js[^>]*><\/script>/g)
  assert.ok(tags.length >= 2)
  await world.context.route('**/decision-bridge.js', () => {})
  for (const [index, each] of tags.entries()) {
    const page = await world.open(`/${index}`, html(each, '<p id="behind">behind the tag</p>'))
    assert.equal(await page.evaluate(() => document.getElementById('behind').textContent), 'behind the tag')
    await page.close()
  }
})

// Changed on the way

story('our script is cut off on the way: not one line of it runs', async (world) => {
  const whole = await read('dist/decision-bridge.js')
  world.server.pages.set('/cut.js', served(whole.slice(0, Math.floor(whole.length * 0.7))))
  const page = await world.open('/', html(init(), push('trackDecision', decision()), '<script src="/cut.js"></script>'))
  assert.deepEqual(await page.evaluate(() => [window.decisionBridge.length, window.decisionBridge.version]), [2, undefined])
  // The parser's own complaint is all there is.
  assert.equal(world.thrown.splice(0).length, 1)
})

story('a byte of the module changed on the way: the fallback that lies beside it takes over', async (world) => {
  const whole = await read('dist/decision-bridge.js')
  const [text] = whole.match(/"[ !#-~]{5000,}"/)
  // The magic number at its beginning: what no engine takes for a module.
  world.server.pages.set('/dist/changed.js', served(whole.replace(text, () => '"%%' + text.slice(3))))
  const page = await world.open('/', html(recorder, init(), push('trackDecision', decision()), '<script async src="/dist/changed.js"></script>'))
  await world.counted(page, 'delivered')
  assert.deepEqual(await told(page), ['100'])
  assert.equal((await world.diagnose(page)).warnings.filter(({ message }) => /fallback takes over/.test(message)).length, 1)
})

story('a changed script under its published hash does not run; the right one does', async (world) => {
  const whole = await read('dist/decision-bridge.js')
  const { 'decision-bridge.js': hash } = JSON.parse(await read('dist/integrity.json'))
  const page = (path) => html(recorder, init(), push('trackDecision', decision()), `<script async src="${path}" integrity="${hash}" crossorigin="anonymous"></script>`)
  world.server.pages.set('/changed.js', served(whole + ' '))
  const bad = await world.open('/bad', page('/changed.js'))
  await until(() => world.said.some(({ text }) => /integrity/i.test(text)), 'the browser refuses it')
  assert.deepEqual(await bad.evaluate(() => [window.decisionBridge.version, window.told]), [undefined, []])
  const good = await world.open('/good', page('/dist/decision-bridge.js'))
  await world.counted(good, 'delivered')
})

test('the published hash is one that browsers check, and that of the file', async () => {
  const whole = await read('dist/decision-bridge.js')
  const { 'decision-bridge.js': hash } = JSON.parse(await read('dist/integrity.json'))
  assert.match(hash, /^sha(256|384|512)-[A-Za-z0-9+/]+=*$/)
  assert.equal(hash, 'sha384-' + createHash('sha384').update(whole).digest('base64'))
  assert.equal(hash, integrity(whole))
})

// Under policies

const strict = (world, policy, ...parts) => ({
  html: html(script(`window.violations=[];addEventListener('securitypolicyviolation',(event)=>violations.push(event.violatedDirective+' '+event.blockedURI))`), ...parts).replaceAll('<script', '<script nonce="n1"'),
  headers: { 'content-security-policy': policy },
})
const violations = async (page) => butTheAttempt(await page.evaluate(() => window.violations))

for (const [name, policy] of [
  ['nonces only', `script-src 'nonce-n1' 'wasm-unsafe-eval'`],
  ['nonces and strict-dynamic', `script-src 'nonce-n1' 'strict-dynamic' 'wasm-unsafe-eval'`],
]) {
  story(`a policy of ${name}: the write key loads analytics.js with the tag’s own nonce`, async (world) => {
    const page = await world.open('/', strict(world, policy, init({ writeKey: WRITE_KEY, cdnUrl: `${world.origin}/cdn` }), push('trackDecision', decision()), tag()))
    await until(() => page.evaluate(() => window.analytics?.initialized === true), 'analytics.js has loaded')
    await world.counted(page, 'delivered')
    // analytics.js adds scripts of its own, which is between it and the policy.
    const ours = (await violations(page)).filter((text) => /analytics\.min\.js|wasm|decision/.test(text))
    assert.deepEqual(ours, [])
  })
}

// Not with the fallback, which is asked for as a file of its own.
if (!FALLBACK) story('our script alone asks the network for nothing: connect-src none', async (world) => {
  const page = await world.open('/', strict(world, `default-src 'none'; script-src 'nonce-n1' 'wasm-unsafe-eval'; connect-src 'none'`, recorder, init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  assert.deepEqual([await told(page), await violations(page)], [['100'], []])
  const asked = world.server.requests.map(({ path }) => path).filter((path) => path !== '/favicon.ico')
  assert.deepEqual(asked, ['/', '/dist/decision-bridge.js'])
})

story('two copies with a write key under a policy that allows our Trusted Types policy once', async (world) => {
  const written = tag(`data-write-key="${WRITE_KEY}" data-options='{"cdnUrl":"${world.origin}/cdn"}'`)
  const policy = `script-src 'nonce-n1' 'strict-dynamic' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types decision-bridge`
  const page = await world.open('/', strict(world, policy, push('trackDecision', decision()), written, written))
  const loaded = () => page.evaluate(() => document.querySelectorAll('script[src*="analytics.min.js"]').length)
  await until(loaded, 'analytics.js is asked for')
  await until(() => world.ours('warning').some(({ text }) => /second copy/.test(text)), 'the second copy has run')
  assert.deepEqual([await loaded(), await violations(page)], [1, []])
})

// Nor may the fallback be loaded then.
if (!FALLBACK) story('Trusted Types that do not allow our policy: no analytics.js, a warning, and a quiet page', async (world) => {
  const policy = `script-src 'nonce-n1' 'strict-dynamic' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'`
  const page = await world.open('/', strict(world, policy, init({ writeKey: WRITE_KEY, cdnUrl: `${world.origin}/cdn`, maxWaitMs: 100 }), push('trackDecision', decision()), tag()))
  await until(() => world.ours('warning').some(({ text }) => /analytics\.js could not be loaded/.test(text)), 'the console says so')
  assert.equal(await page.evaluate(() => 'analytics' in window), false, 'no stub that would never load')
})

story('a page that is isolated from other origins (COEP require-corp), our script on another host', async (world) => {
  const other = world.origin.replace('127.0.0.1', 'localhost')
  const page = await world.open('/', {
    html: html(recorder, init(), push('trackDecision', decision()), `<script async src="${other}/dist/decision-bridge.js"></script>`),
    headers: { 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-opener-policy': 'same-origin' },
  })
  await world.counted(page, 'delivered')
  assert.equal(await page.evaluate(() => crossOriginIsolated), true)
}, { hosts: ['localhost'] })

// More than once, and in other ways

story('two versions of our script: the first wins, the queue goes to it, and one warning says so', async (world) => {
  const whole = await read('dist/decision-bridge.js')
  const [, version] = whole.match(/Decision Bridge (\S+),/)
  world.server.pages.set('/other.js', served(whole.replaceAll(version, '99.0.0')))
  const page = await world.open('/', html(recorder, init(), push('trackDecision', decision()), '<script src="/dist/decision-bridge.js"></script>', push('trackDecision', decision()), '<script src="/other.js"></script>', push('trackDecision', decision({ experimentId: '101' })), '<script src="/other.js"></script>'))
  await world.counted(page, 'delivered', 2)
  await world.counted(page, 'duplicate')
  assert.deepEqual([await told(page), await page.evaluate(() => window.decisionBridge.version)], [['100', '101'], version])
  assert.deepEqual(world.ours('warning').filter(({ text }) => /second copy/.test(text)).length, 1)
})

story('our script executed again when a page is swapped in place', async (world) => {
  const page = await world.open('/', html(recorder, init(), push('trackDecision', decision()), tag()))
  await world.counted(page, 'delivered')
  for (const experimentId of ['101', '102', '103']) {
    await page.evaluate(async (experimentId) => {
      const { innerHTML } = document.body
      document.body.innerHTML = innerHTML
      const loaded = []
      for (const inert of document.body.querySelectorAll('script')) {
        // What pjax and Turbo do, so that the scripts of the new page run; not the first, which is the recorder.
        if (/told/.test(inert.textContent)) continue
        const script = Object.assign(document.createElement('script'), { textContent: inert.textContent, ...(inert.src && { src: inert.src }) })
        if (inert.src) loaded.push(new Promise((done) => (script.onload = done)))
        inert.replaceWith(script)
      }
      // Now another copy has run, and whoever owns the queue takes what comes.
      await Promise.all(loaded)
      window.decisionBridge.push(['trackDecision', { experimentId, variationId: 'v' }])
    }, experimentId)
    await until(async () => (await told(page)).includes(experimentId), `${experimentId} is told`)
  }
  assert.deepEqual(await told(page), ['100', '101', '102', '103'])
  assert.equal((await world.diagnose(page)).counts.delivered, 4, 'all of them by the first copy')
})

// Not with the fallback, which is found beside the tag.
if (!FALLBACK) story('our script as a module, which has no currentScript: what is pushed counts', async (world) => {
  const page = await world.open('/', html(recorder, init({ eventName: 'Seen' }), push('trackDecision', decision()), '<script type="module" src="/dist/decision-bridge.js" data-auto></script>'))
  await world.counted(page, 'delivered')
  assert.equal((await world.diagnose(page)).options.eventName, 'Seen')
  assert.deepEqual(world.ours().filter(({ text }) => /init/.test(text)), [], 'data-auto, which it cannot see, is no second init')
})
