// Our own script: early, late, twice, from elsewhere, under a strict policy; and what is pushed to it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { FALLBACK, story, until } from './harness.mjs'
import { abTest, decision, html, init, optimizely, push, script, snippet, snippetCode, tag } from './pages.mjs'

const served = (type, text, headers = {}) => ({ html: text, headers: { 'content-type': type, ...headers } })
const ids = (events) => events.map((event) => event.properties.experimentId).sort()

story('our script comes after all decisions', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), push('trackDecision', decision({ experimentId: '1' })), push('trackLayerDecision', { campaignId: '9', experimentId: '2', variationId: '3' })))
  await until(() => page.evaluate(() => window.analytics.initialized === true), 'analytics.js is ready')
  await page.addScriptTag({ url: '/dist/decision-bridge.js' })
  assert.deepEqual(ids(await world.delivered(page, 2)), ['1', '2'])
})

story('our script comes before everything', async (world) => {
  const page = await world.open('/', html(tag(), init()))
  await world.idle(page)
  await page.addScriptTag({ content: snippetCode(world.origin) })
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision())
  await world.delivered(page)
})

story('a plain blocking tag works as well as an async one', async (world) => {
  const page = await world.open('/', html('<script src="/dist/decision-bridge.js"></script>', script(`decisionBridge.init();decisionBridge.trackDecision({experimentId:'1',variationId:'2'})`), snippet(world.origin)))
  await world.delivered(page)
})

story('two copies of our tag: the second warns once and does nothing', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), push('trackDecision', decision()), tag(), tag()))
  await world.delivered(page)
  await page.addScriptTag({ url: '/dist/decision-bridge.js?third' })
  await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: '101' }))
  await world.delivered(page, 2)
  const warnings = world.ours('warning').filter((line) => /second copy|twice/.test(line.text))
  assert.equal(warnings.length, 1, JSON.stringify(world.ours()))
})

story('a reference kept from before is the same object, and still pushes', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init(), script('window.kept=window.decisionBridge'), tag()))
  await world.idle(page)
  const same = await page.evaluate((decision) => {
    window.kept.push(['trackDecision', decision])
    return window.kept === window.decisionBridge && Array.isArray(window.kept)
  }, decision())
  assert.ok(same)
  await world.delivered(page)
  assert.equal(await page.evaluate(() => window.kept.length), 0, 'what was taken is not kept in the array')
})

story('decisions that come before init are kept, and init starts', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), tag(), push('trackDecision', decision())))
  await until(() => page.evaluate(() => window.analytics.initialized === true && window.decisionBridge.version), 'both are there')
  await page.evaluate(() => void window.analytics.track('before init'))
  await until(() => world.server.events.some((event) => event.event === 'before init'), 'the page’s own event arrives')
  assert.equal(world.exposures().length, 0)
  await page.evaluate(() => window.decisionBridge.init({ eventName: 'Seen' }))
  await world.delivered(page, 1, { name: 'Seen' })
})

story('a second init warns and changes nothing', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), init({ eventName: 'First' }), tag(), init({ eventName: 'Second' }), push('trackDecision', decision())))
  await world.delivered(page, 1, { name: 'First' })
  assert.equal(world.exposures('Second').length, 0)
  assert.equal(world.ours('warning').filter((line) => /init/.test(line.text)).length, 1)
})

story(
  'unknown methods and nonsense are each reported once, and the rest works',
  async (world) => {
    const page = await world.open('/', html(
      snippet(world.origin), init(),
      ...['nope', 'toString', 'constructor', '__proto__'].map((method) => push(method, 1)),
      script('decisionBridge.push(null);decisionBridge.push(5);decisionBridge.push("init");decisionBridge.push([]);decisionBridge.push([null]);decisionBridge.push({})'),
      push('trackDecision', decision()), tag(),
    ))
    await world.delivered(page)
    const said = world.ours('error').map((line) => line.text)
    for (const method of ['nope', 'toString', 'constructor', '__proto__']) {
      assert.equal(said.filter((text) => text.includes(`\`${method}\``) || text.includes(`"${method}"`)).length, 1, `${method}: ${said.join('\n')}`)
    }
    const report = await world.diagnose(page)
    assert.equal(report.errors.length, new Set(said).size)
  },
  { errors: true },
)

story(
  'no method throws, whatever it is given',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), init(), tag()))
    await world.idle(page)
    const thrown = await page.evaluate(() => {
      const nasty = [undefined, null, 0, NaN, 1n, '', 'x', true, [], {}, Symbol('s'), () => {}, new Date(NaN), /x/, new Proxy({}, { get() { throw new Error('trap') }, ownKeys() { throw new Error('trap') } }), Object.create(null), { get experimentId() { throw new Error('getter') } }, '\ud800', 'x'.repeat(200_000)]
      const cyclic = { experimentId: '1', variationId: '2' }
      cyclic.properties = cyclic
      const failures = []
      for (const method of ['trackLayerDecision', 'trackDecision', 'attach', 'consent', 'flush', 'diagnose', 'on', 'init', 'push']) {
        for (const value of [...nasty, cyclic]) {
          for (const args of [[value], [value, value], [[method, value]]]) {
            try {
              window.decisionBridge[method](...args)
            } catch (error) {
              failures.push(`${method}: ${error}`)
            }
          }
        }
      }
      return failures
    })
    assert.deepEqual(thrown, [])
    await page.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: 'after' }))
    await until(() => world.exposures().some((event) => event.properties.experimentId === 'after'), 'a good decision still gets through')
  },
  { errors: true },
)

story('the script works from another path, and from another host', async (world) => {
  for (const [path, file] of [['bridge-9f.js', 'decision-bridge.js'], ['decision-bridge-fallback.js', 'decision-bridge-fallback.js']]) {
    const code = await readFile(new URL(`../../dist/${file}`, import.meta.url), 'utf8')
    world.server.pages.set(`/assets/v7/${path}`, served('text/javascript', code))
  }
  const page = await world.open('/', html(snippet(world.origin), init(), push('trackDecision', decision()), '<script async src="/assets/v7/bridge-9f.js"></script>'))
  await world.delivered(page)
})

story('the tag alone starts with data-auto and data-options', async (world) => {
  const page = await world.open('/', html(snippet(world.origin), tag(`data-options='{"eventName":"Seen","properties":{"team":"web"}}'`), push('trackDecision', decision())))
  const [event] = await world.delivered(page, 1, { name: 'Seen' })
  assert.equal(event.properties.team, 'web')
  const other = await world.visitor()
  const plain = await other.open('/plain', html(snippet(world.origin), tag('data-auto'), push('trackDecision', decision())))
  await other.delivered(plain)
})

story(
  'data-options that are no JSON are named, and the defaults work',
  async (world) => {
    const page = await world.open('/', html(snippet(world.origin), tag(`data-options='{nope'`), push('trackDecision', decision())))
    await world.delivered(page)
    assert.equal(world.ours('error').length, 1)
    assert.match(world.ours('error')[0].text, /data-options/)
  },
  { errors: true },
)

/** What the page's own listener hears of. On the fallback that is the one attempt at WebAssembly. */
const violated = async (page) =>
  assert.deepEqual(await page.evaluate(() => window.violations), FALLBACK ? ['script-src wasm-eval'] : [])

const STRICT = "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'"

/** A page without inline code: its scripts are files. */
function strictPage(world, policy, code, ...tags) {
  world.server.pages.set('/story.js', served('text/javascript', `window.violations=[];addEventListener('securitypolicyviolation',(event)=>violations.push(event.violatedDirective+' '+event.blockedURI));${code}`))
  return { html: `<!doctype html><title>Strict</title><script src="/story.js"></script>${tags.join('')}`, headers: { 'content-security-policy': policy } }
}

story('under a strict policy with Trusted Types the tag works and violates nothing', async (world) => {
  const code = `${snippetCode(world.origin, { load: false })}
    window.decisionBridge=window.decisionBridge||[];decisionBridge.push(['init']);decisionBridge.push(['trackDecision',{experimentId:'1',variationId:'2'}])`
  const page = await world.open('/', strictPage(
    world, `${STRICT}; require-trusted-types-for 'script'; trusted-types ${FALLBACK ? 'decision-bridge' : "'none'"}`, code, tag(),
    '<script async src="/cdn/analytics.js/v1/wk_story/analytics.min.js" data-global-segment-analytics-key="analytics"></script>',
  ))
  await until(() => page.evaluate(() => window.analytics._loadOptions !== undefined || window.analytics.initialized || window.analytics.load), 'the stub is there')
  await world.delivered(page)
  await violated(page)
})

story('under a strict policy the write key loads analytics.js', async (world) => {
  const options = JSON.stringify({ cdnUrl: `${world.origin}/cdn` })
  const page = await world.open('/', strictPage(
    world, STRICT, `window.decisionBridge=[['trackDecision',{experimentId:'1',variationId:'2'}]]`, tag(`data-write-key="wk_story" data-options='${options}'`),
  ))
  await world.delivered(page)
  await violated(page)
})

story('in a sandboxed frame, where storage throws, a decision is still told', async (world) => {
  // Not Segment's own: analytics.js sends nothing where it has no storage.
  const library = script(`window.told=[];window.analytics={track:(name,properties)=>told.push(properties.experimentId)}`)
  world.server.pages.set('/framed', html(library, init(), tag(), push('trackDecision', decision()), push('trackDecision', decision())))
  const page = await world.open('/', html('<iframe sandbox="allow-scripts" src="/framed"></iframe>'))
  const frame = await until(() => page.frames().find((each) => each.url().endsWith('/framed')), 'the frame is there')
  await until(
    () => frame.evaluate(() => window.__watch.timers() === 0 && window.decisionBridge.diagnose?.().counts?.delivered === 1).catch(() => false),
    'it is told',
  )
  assert.deepEqual(await frame.evaluate(() => window.told), ['100'])
  const report = await frame.evaluate(() => window.decisionBridge.diagnose())
  assert.equal(report.counts.duplicate, 1)
  assert.ok(report.warnings.some(({ message }) => /storage/.test(message)))
})

// An error costs milliseconds at the start of a page even where it is caught: the engine parses our script
// once more to find the place.
story('where nothing is wrong nothing is thrown in our script, caught or not', async (world) => {
  world.server.pages.set('/', html(init(), push('trackDecision', decision()), snippet(world.origin), optimizely({ campaigns: [abTest()] }), tag()))
  const page = await world.tab()
  const session = await world.context.newCDPSession(page)
  const thrown = []
  session.on('Debugger.paused', ({ data }) => {
    const [error, place] = (data?.description ?? '').split('\n')
    const denied = FALLBACK && error.startsWith('CompileError')
    if (place?.includes('/dist/') && !denied) thrown.push(error + place)
    return session.send('Debugger.resume')
  })
  await session.send('Debugger.enable')
  await session.send('Debugger.setPauseOnExceptions', { state: 'all' })
  await page.goto(world.origin)
  await world.delivered(page, 2)
  assert.deepEqual(thrown, [])
})
