// Where WebAssembly cannot run: what comes in its place, from where, and how it is checked. The other
// stories are played on it too, with BRIDGE=fallback.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { FALLBACK, story, until } from './harness.mjs'
import { decision, html, init, push, script, snippet, tag } from './pages.mjs'

const FILE = '/dist/decision-bridge-fallback.js'
const asked = (world) => world.server.requests.filter(({ path }) => path === FILE).length
const code = (file) => readFile(new URL(`../../dist/${file}`, import.meta.url), 'utf8')

/** A page under a policy of its own, which notes what is violated. */
const note = script(`window.violations=[];addEventListener('securitypolicyviolation',(event)=>violations.push(event.violatedDirective+' '+event.blockedURI))`)
const under = (policy, ...parts) => ({
  html: html(...parts).replace('<body>', `<body>${note}`).replaceAll('<script', '<script nonce="n1"'),
  headers: { 'content-security-policy': policy },
})
const SELF = "script-src 'self' 'unsafe-inline'"
const told = push('trackDecision', decision())

story('where WebAssembly is forbidden the fallback delivers what was pushed, with one report and one line on the console', async (world) => {
  const page = await world.open('/', under("script-src 'self' 'nonce-n1'", init(), told, snippet(world.origin), tag()))
  await world.delivered(page)
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: 'later' }))
  await world.delivered(page, 2)
  assert.deepEqual(await page.evaluate(() => window.violations), ['script-src wasm-eval'])
  if (!FALLBACK) {
    const lines = world.ours().filter(({ text }) => /WebAssembly|fallback/.test(text))
    assert.equal(lines.length, 1)
    assert.match(lines[0].text, /the fallback takes over.*'wasm-unsafe-eval'/)
  }
  const { warnings, errors } = await world.diagnose(page)
  assert.equal(warnings.filter(({ message }) => /the fallback takes over/.test(message)).length, 1)
  assert.deepEqual(errors, [])
  assert.equal(asked(world), 1)
})

story('where there is no WebAssembly at all the fallback delivers', async (world) => {
  await world.context.addInitScript(() => delete window.WebAssembly)
  const page = await world.open('/', html(init(), told, snippet(world.origin), tag()))
  await world.delivered(page)
  assert.equal(asked(world), 1)
})

story('where the engine does not know what the module needs the fallback delivers', async (world) => {
  await world.context.addInitScript(() => {
    // As engines refuse an instruction they do not know.
    WebAssembly.compile = WebAssembly.instantiate = () => Promise.reject(new WebAssembly.CompileError('invalid numeric opcode 0xfc00'))
  })
  const page = await world.open('/', html(init(), told, snippet(world.origin), tag()))
  await world.delivered(page)
  assert.equal(asked(world), 1)
})

story(
  'where no instance can be made the fallback delivers, and no rejection is left to the page',
  async (world) => {
    // As engines refuse where there is no room for the module's memory.
    await world.context.addInitScript(() => {
      WebAssembly.instantiate = () => Promise.reject(new RangeError('could not allocate memory'))
    })
    const page = await world.open('/', html(init(), told, snippet(world.origin), tag()))
    await world.delivered(page)
    assert.equal(asked(world), 1)
  },
  { errors: true },
)

if (!FALLBACK) {
  story('a policy that only reports gets one report, and WebAssembly runs', async (world) => {
    const { html } = under(SELF, init(), told, snippet(world.origin), tag())
    const page = await world.open('/', { html, headers: { 'content-security-policy-report-only': SELF } })
    await world.delivered(page)
    assert.deepEqual(await page.evaluate(() => window.violations), ['script-src wasm-eval'])
    assert.equal(asked(world), 0)
  })

  story('what the module told or left, the fallback knows, and the other way round', async (world) => {
    const parts = (...decisions) => [init(), ...decisions.map((experimentId) => push('trackDecision', decision({ experimentId }))), tag()]
    const analytics = snippet(world.origin)
    const page = await world.open('/module', html(analytics, ...parts('a')))
    await world.delivered(page)
    await world.open('/module/leaves', html(...parts('b')), page)
    await world.counted(page, 'pending')
    await world.open('/fallback', under(SELF, analytics, ...parts('a', 'b', 'c')), page)
    await world.counted(page, 'duplicate', 2)
    await world.delivered(page, 3)
    await world.open('/fallback/leaves', under(SELF, ...parts('d')), page)
    await world.counted(page, 'pending')
    assert.equal(asked(world), 2)
    await world.open('/module', html(analytics, ...parts('a', 'b', 'c', 'd')), page)
    await world.counted(page, 'duplicate', 4)
    assert.deepEqual((await world.delivered(page, 4)).map(({ properties }) => properties.experimentId).sort(), ['a', 'b', 'c', 'd'])
  })
}

if (!FALLBACK) story('where WebAssembly runs the fallback is never asked for', async (world) => {
  const page = await world.open('/', html(init(), told, snippet(world.origin), tag()))
  await world.delivered(page)
  assert.equal(asked(world), 0)
})

story('what is pushed while the fallback is on its way keeps its order and its time', async (world) => {
  const held = []
  world.server.pages.set(FILE, served('text/javascript', await code('decision-bridge-fallback.js')))
  await world.context.route('**' + FILE, async (route) => {
    await new Promise((go) => held.push(go))
    await route.continue()
  })
  const page = await world.open('/', under(SELF, init(), told, snippet(world.origin), tag()))
  await until(() => held.length, 'the fallback is asked for')
  await page.evaluate((decision) => {
    window.pushedAt = Date.now()
    window.decisionBridge.trackDecision(decision)
  }, decision({ experimentId: 'meanwhile' }))
  await page.waitForFunction(() => Date.now() > window.pushedAt)
  const [pushedAt, releasedAt] = await page.evaluate(() => [window.pushedAt, Date.now()])
  for (const go of held) go()
  const events = await world.delivered(page, 2)
  assert.deepEqual(events.map((event) => event.properties.experimentId), ['100', 'meanwhile'])
  const at = Date.parse(events[1].timestamp)
  assert.ok(pushedAt <= at && at < releasedAt, 'the time it was pushed')
})

story(
  'a fallback that is not the one of this build is refused, and said so',
  async (world) => {
    world.server.pages.set(FILE, served('text/javascript', (await code('decision-bridge-fallback.js')) + '//'))
    const page = await world.open('/', under(SELF, init(), told, snippet(world.origin), tag()))
    await until(() => world.ours('error').length, 'it is said')
    assert.match(world.ours('error')[0].text, /no decision is sent any more: .*decision-bridge-fallback\.js could not be loaded/)
    const { errors, state } = await world.diagnose(page)
    assert.match(errors[0].message, /decision-bridge-fallback\.js/)
    assert.match(state, /^cannot run: .*decision-bridge-fallback\.js could not be loaded/)
  },
  { errors: true },
)

story(
  'the fallback of a script without an address cannot be found, and that is said',
  async (world) => {
    const page = await world.open('/', under(SELF, init(), told, script((await code('decision-bridge.js')).replaceAll('</script', '<\\/script'))))
    await until(() => world.ours('error').length, 'it is said')
    assert.match(world.ours('error')[0].text, /is not found: our own tag has no src/)
    assert.equal((await world.diagnose(page)).errors.length, 1)
  },
  { errors: true },
)

story('a <base> that comes later does not lead the fallback astray', async (world) => {
  await world.context.addInitScript(() => {
    const { compile } = WebAssembly
    // Later than the base.
    WebAssembly.compile = (...args) => new Promise((go) => addEventListener('DOMContentLoaded', go)).then(() => compile.apply(WebAssembly, args))
  })
  const page = await world.open('/', under(SELF, init(), told, snippet(world.origin), '<script src="dist/decision-bridge.js"></script>', '<base href="/elsewhere/">'))
  await world.delivered(page)
})

story('a strict policy with a nonce and Trusted Types lets the fallback in beside analytics.js', async (world) => {
  const options = JSON.stringify({ cdnUrl: `${world.origin}/cdn` })
  const policy = "script-src 'nonce-n1' 'strict-dynamic'; require-trusted-types-for 'script'; trusted-types decision-bridge default"
  const allowed = script("trustedTypes.createPolicy('default',{createScriptURL:(url)=>url})")
  const page = await world.open('/', under(policy, allowed, told, tag(`data-write-key="wk_story" data-options='${options}'`)))
  await world.delivered(page)
  assert.deepEqual(await page.evaluate(() => window.violations), ['script-src wasm-eval'])
})

story('a policy of nonces alone lets the fallback in by the nonce of our own tag', async (world) => {
  const notes = script('window.told=[];window.analytics={track:(name,properties)=>told.push(properties.experimentId)}')
  const page = await world.open('/', under("script-src 'nonce-n1'", notes, init(), told, tag()))
  await until(() => page.evaluate(() => window.told.length), 'it is told')
  assert.deepEqual(await page.evaluate(() => window.violations), ['script-src wasm-eval'])
  assert.equal(asked(world), 1)
})

story('under an Integrity-Policy a tag with its hash runs, and so does the fallback', async (world) => {
  const { 'decision-bridge.js': hash } = JSON.parse(await code('integrity.json'))
  const notes = script('window.told=[];window.analytics={track:(name,properties)=>told.push(properties.experimentId)}')
  const { html, headers } = under(SELF, notes, init(), told, tag(`integrity="${hash}" crossorigin`))
  const page = await world.open('/', { html, headers: { ...headers, 'integrity-policy': 'blocked-destinations=(script)' } })
  await until(() => page.evaluate(() => window.told.length), 'it is told')
  assert.equal(asked(world), 1)
  // The policy is in force.
  await assert.rejects(page.addScriptTag({ url: FILE }))
})

for (const [what, attributes, cors] of [
  ['without `crossorigin` is trusted like the script itself', '', false],
  ['with `crossorigin` is checked', 'crossorigin', true],
]) {
  story(`the fallback of a script from another host ${what}`, async (world) => {
    const other = world.origin.replace('127.0.0.1', 'localhost')
    const requests = []
    for (const file of ['decision-bridge.js', 'decision-bridge-fallback.js']) {
      const body = await code(file)
      await world.context.route(`${other}/cdn/${file}`, (route) => {
        requests.push(file)
        return route.fulfill({ body, contentType: 'text/javascript', headers: cors ? { 'access-control-allow-origin': '*' } : {} })
      })
    }
    const page = await world.open('/', under("script-src * 'unsafe-inline'", init(), told, snippet(world.origin), `<script async ${attributes} src="${other}/cdn/decision-bridge.js"></script>`))
    await world.delivered(page)
    const { integrity, crossOrigin } = await page.evaluate(() => {
      const { integrity, crossOrigin } = document.querySelector('script[src*=fallback]')
      return { integrity, crossOrigin }
    })
    assert.equal(!!integrity, cors)
    assert.equal(crossOrigin, cors ? 'anonymous' : null)
    assert.deepEqual(requests, ['decision-bridge.js', 'decision-bridge-fallback.js'])
  }, { hosts: ['localhost'] })
}

function served(type, text) {
  return { html: text, headers: { 'content-type': type } }
}
