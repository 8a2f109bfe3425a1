// What SECURITY.md promises: whatever stands in attributes, in the address bar, in storage, in names or
// in messages of other frames, it runs no code, asks no other host, and opens no gate.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { FALLBACK, story, until } from './harness.mjs'
import { abTest, decision, html, init, js, layerDecision, optimizely, push, script, snippet, snippetCode, tag, VISITOR } from './pages.mjs'

const dist = (name = '') => new URL(`../../dist/${name}`, import.meta.url)
const shipped = readdirSync(dist()).filter((name) => name.endsWith('.js'))
const attribute = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
/** What was asked of our server beside the page, our script and the browser's own wishes. */
const asked = (world, part) => world.server.requests.map(({ path }) => path).filter((path) => path.includes(part))
const state = (page) => page.evaluate(() => window.decisionBridge.diagnose?.().state)
/** Analytics that only take notes. */
const NOTES = script('window.told=[];window.analytics={track:(name,properties)=>told.push(properties)}')
const noted = (page, count = 1) => until(() => page.evaluate((count) => window.told.length >= count && window.told, count), `${count} are told`)

// G01, G05: what becomes part of a script's URL

/** The scripts of a page, inline ones as the page itself; but for the fallback, where that runs. */
const scripts = async (page) => {
  const paths = await page.evaluate(() => [...document.scripts].map(({ src }) => new URL(src || location.href).pathname))
  return paths.filter((path) => path !== '/dist/decision-bridge-fallback.js')
}

for (const key of ['../../evil.js?', '//evil.test/a', 'a%2f..%2fevil', 'a"onload="b', 'k'.repeat(129)]) {
  story(
    `a write key that is none loads nothing: ${key.slice(0, 20)}`,
    async (world) => {
      const options = attribute(JSON.stringify({ cdnUrl: `${world.origin}/cdn` }))
      const page = await world.open('/', html(tag(`data-write-key="${attribute(key)}" data-options="${options}"`), push('trackDecision', decision())))
      await until(async () => (await state(page)) === 'running', 'it runs')
      await world.counted(page, 'pending')
      assert.deepEqual(asked(world, '/cdn'), [], 'nothing is loaded')
      assert.deepEqual((await scripts(page)).filter((path) => path !== '/'), ['/dist/decision-bridge.js'])
      assert.ok(world.ours('error').some(({ text }) => text.includes('`writeKey`')), 'the complaint names it')
      await page.evaluate(() => window.decisionBridge.init({}))
      await page.close()
    },
    { errors: true },
  )
}

for (const url of [
  'javascript:alert(1)//', 'data:text/javascript,alert(1)//', '//evil.test', 'https://user:pass@evil.test', 'https://cdn.test\\@evil.test',
  'https://evil.test/?a=', 'http://127.0.0.1.evil.test', 'http://127.0.0.1@evil.test',
]) {
  story(
    `a cdnUrl that is none is never asked: ${url}`,
    async (world) => {
      const hosts = new Set()
      world.context.on('request', (request) => hosts.add(new URL(request.url()).hostname || request.url()))
      await world.context.route('https://cdn.segment.com/**', (route) => route.abort())
      const page = await world.open('/', html(init({ writeKey: 'wk', cdnUrl: url }), tag()))
      await until(() => hosts.has('cdn.segment.com'), 'Segment’s own is asked')
      await world.idle(page)
      assert.deepEqual([...hosts].sort(), ['127.0.0.1', 'cdn.segment.com'])
      assert.ok(world.ours('error').some(({ text }) => text.includes('`cdnUrl`')), 'the complaint names it')
    },
    { errors: true, hosts: ['cdn.segment.com'] },
  )
}

story('with a cdnUrl of the page’s own no other host is asked for analytics.js', async (world) => {
  const page = await world.open('/', html(init({ writeKey: 'wk', cdnUrl: `${world.origin}/cdn` }), tag(), push('trackDecision', decision())))
  await world.delivered(page)
  assert.equal(asked(world, '/cdn/analytics.js/v1/wk/').length, 1)
})

// G03, G04: prototypes

story(
  'options that reach for prototypes change none, and configure nothing',
  async (world) => {
    const evil = '{"__proto__":{"writeKey":"evil","cdnUrl":"https://evil.test","polluted":1},"constructor":{"prototype":{"polluted":1}},"properties":{"__proto__":"x","constructor":"y","team":"web"}}'
    const call = `{"experimentId":"e","variationId":"v","__proto__":{"experimentName":"polluted"},"properties":{"__proto__":{"polluted":1}}}`
    const page = await world.open('/', html(NOTES, tag(`data-options="${attribute(evil)}"`), script(`(window.decisionBridge=window.decisionBridge||[]).push(['trackDecision',JSON.parse(${js(call)})])`)))
    const [properties] = await noted(page)
    assert.equal(properties.team, 'web', 'the rest works')
    assert.ok(await page.evaluate(() => !('polluted' in {}) && !('polluted' in []) && !('polluted' in window.told[0])))
    const said = world.ours('error').map(({ text }) => text).join('\n')
    for (const name of ['__proto__', 'constructor']) assert.ok(said.includes(`\`${name}\` is not known`), said)
  },
  { errors: true },
)

story('what a polluted Object.prototype lends is neither option nor part of a decision', async (world) => {
  const lent = {
    writeKey: 'evil', cdnUrl: `${world.origin}/cdn`, preview: 'send', requireConsent: true, debug: true, eventName: 'Evil', properties: { evil: 1 },
    experimentName: 'Evil', variationName: 'Evil', userId: 'evil', isHoldback: true, nonce: 'evil', experimentKey: 'evil', decidedAt: 1e12, source: 'evil',
  }
  const page = await world.open('/', html(script(`Object.assign(Object.prototype,${js(lent)})`), script("window.decisionBridge=[['init',{}],['trackDecision',Object.assign(Object.create(null),{experimentId:'e',variationId:'v'})],['trackDecision',{experimentId:'f',variationId:'v'}]]"), tag()))
  await world.counted(page, 'pending', 2)
  assert.deepEqual(asked(world, '/cdn'), [], 'nothing is loaded')
  await page.evaluate(() => {
    window.told = []
    window.analytics = { track: (name, properties) => told.push([name, Object.assign({}, properties)]) }
    window.decisionBridge.flush()
  })
  for (const [name, properties] of await noted(page, 2)) {
    assert.equal(name, 'Experiment Viewed')
    assert.deepEqual(Object.keys(properties).sort(), ['assignedAt', 'experimentId', 'experimentName', 'variationId', 'variationName'])
    assert.deepEqual([properties.experimentName, properties.variationName], [properties.experimentId, 'v'])
    assert.ok(Date.parse(properties.assignedAt) > 1.7e12)
  }
  await page.evaluate((names) => names.forEach((name) => delete Object.prototype[name]), Object.keys(lent))
})

// G06: the tag, and elements that call themselves like something of ours

for (const [name, markup] of [
  ['an image named currentScript', '<img name="currentScript" data-write-key="evil" data-auto>'],
  ['a form named currentScript', '<form name="currentScript" data-write-key="evil" data-auto></form>'],
  ['another script with our attributes', '<script type="text/plain" data-write-key="evil" data-auto data-options="{}"></script>'],
  ['another copy’s look-alike behind it', `${tag()}<script type="application/json" src="/dist/decision-bridge.js" data-write-key="evil"></script>`],
]) {
  story(`attributes are read from our own tag alone, not from ${name}`, async (world) => {
    const page = await world.open('/', html(markup, tag(), push('trackDecision', decision())))
    await until(async () => (await state(page)) === 'waiting for init', 'it waits for init')
    await page.evaluate((cdnUrl) => window.decisionBridge.push(['init', { writeKey: 'wk_story', cdnUrl }]), `${world.origin}/cdn`)
    await world.delivered(page)
    assert.deepEqual(asked(world, 'evil'), [])
  })
}

for (const [name, markup] of [
  ['an image', '<img name="currentScript" data-options="{}" data-write-key="evil">'],
  ['a form', '<form name="currentScript" data-options="{}" data-write-key="evil"></form>'],
]) {
  story(`${name} named currentScript does not hide the attributes of our own tag`, async (world) => {
    const page = await world.open('/', html(NOTES, markup, tag(`data-options='{"eventName":"Own"}'`), push('trackDecision', decision())))
    await noted(page)
    const { options } = await world.diagnose(page)
    assert.deepEqual([options.eventName, options.writeKey], ['Own', null])
  })
}

for (const [name, markup] of [
  ['a form named decisionBridge', '<form id="decisionBridge"><input name="push"><input name="length"></form>'],
  ['two elements named decisionBridge', '<a id="decisionBridge"></a><a id="decisionBridge" name="init"></a>'],
  ['a cross-origin frame named decisionBridge', '<iframe name="decisionBridge" sandbox="allow-scripts" src="/frame"></iframe>'],
  ['elements named optimizely', '<a id="optimizely"></a><a id="optimizely" name="push"></a>'],
  ['a form named optimizely', '<form id="optimizely"><input name="push"><input name="get"></form>'],
  ['a cross-origin frame named optimizely', '<iframe name="optimizely" sandbox="allow-scripts" src="/frame"></iframe>'],
  ['a cross-origin frame named optimizelyEdge', '<iframe name="optimizelyEdge" sandbox="allow-scripts" src="/frame"></iframe>'],
]) {
  story(`the page goes on, and so do we, beside ${name}`, async (world) => {
    world.server.pages.set('/frame', '<!doctype html><title>A frame</title>')
    const page = await world.open('/', html(markup, snippet(world.origin), '<script src="/dist/decision-bridge.js" data-auto></script>', script(`window.decisionBridge.trackDecision(${js(decision())})`)))
    await world.delivered(page)
  })
}

// Whatever markup hides of the document: elements by their name, the windows of frames by theirs.
for (const hidden of ['cookie', 'prerendering', 'title', 'addEventListener']) {
  for (const [name, markup] of [['a form', `<form name="${hidden}"></form>`], ['a frame of others', `<iframe name="${hidden}" sandbox></iframe>`]]) {
    story(`decisions are told, and nothing is thrown, where ${name} hides document.${hidden}`, async (world) => {
      const page = await world.open('/', html(markup, NOTES, '<script src="/dist/decision-bridge.js" data-auto></script>', push('trackDecision', decision())))
      assert.deepEqual((await noted(page)).map(({ experimentId }) => experimentId), ['100'])
    }, { errors: true })
  }
}

// Without WebAssembly we could not load our own.
if (!FALLBACK) {
  story('where a frame hides document.head analytics.js cannot be loaded: we say so, and no stub stands in the way of the page’s own', async (world) => {
    const options = JSON.stringify({ writeKey: 'wk_story', cdnUrl: `${world.origin}/cdn` })
    const page = await world.open('/', html('<iframe name="head" sandbox></iframe>', `<script src="/dist/decision-bridge.js" data-options='${options}'></script>`, push('trackDecision', decision())))
    await world.counted(page, 'pending')
    assert.equal(await page.evaluate(() => typeof window.analytics), 'undefined')
    assert.ok(world.ours('warning').some(({ text }) => /analytics\.js could not be loaded/.test(text)), JSON.stringify(world.said))
    await page.evaluate(() => document.querySelector('iframe').remove())
    await page.evaluate(snippetCode(world.origin))
    await world.delivered(page)
  })
}

story('a window.optimizely that throws costs no decision', async (world) => {
  const throwing = script(`Object.defineProperty(window,'optimizely',{configurable:true,get(){throw new Error('not yours')}})`)
  const page = await world.open('/', html(throwing, snippet(world.origin), init(), push('trackDecision', decision()), push('trackLayerDecision', layerDecision()), tag()))
  await world.delivered(page, 2)
})

// G07: other frames

story('what other frames post changes nothing: nobody listens', async (world) => {
  await world.context.addInitScript(() => {
    window.__listens = []
    const add = EventTarget.prototype.addEventListener
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (new Error().stack.includes('decision-bridge')) window.__listens.push(type)
      return add.call(this, type, ...rest)
    }
  })
  const posted = [
    ['consent', true], ['init', { writeKey: 'evil' }], ['trackDecision', decision()], { decisionBridge: ['consent', true] },
    { type: 'decision-bridge', method: 'consent', args: [true] }, '["consent",true]', { source: 'decision-bridge', consent: true },
  ]
  world.server.pages.set('/frame', `<!doctype html><title>A frame</title><script>
    for (const message of ${js(posted)}) parent.postMessage(message, '*')
    parent.postMessage('done', '*')</script>`)
  const done = script("window.addEventListener('message',({data})=>{if(data==='done')window.done=true})")
  const page = await world.open('/', html(NOTES, init({ requireConsent: true }), '<script src="/dist/decision-bridge.js"></script>', push('trackDecision', decision()), done))
  await world.counted(page, 'pending')
  await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<iframe sandbox="allow-scripts" src="/frame"></iframe>'))
  await until(() => page.evaluate(() => window.done), 'the frame has posted all')
  await world.idle(page)
  const report = await world.diagnose(page)
  assert.deepEqual([report.counts.pending, report.decisions.length, report.errors.length], [1, 1, 0])
  assert.deepEqual(await page.evaluate(() => window.told), [])
  const listens = await page.evaluate(() => window.__listens)
  assert.ok(listens.includes('pagehide'), 'the test sees what we listen to')
  assert.ok(!listens.includes('message'), listens.join())
})

// G08: names

const MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'

story('names are text: nothing of them becomes part of the page, or of the console’s format', async (world) => {
  const seen = script(`window.added=[];new MutationObserver((all)=>all.forEach(({addedNodes})=>added.push(...[...addedNodes].map(({nodeName})=>nodeName)))).observe(document,{childList:true,subtree:true});
    addEventListener('securitypolicyviolation',({violatedDirective})=>added.push(violatedDirective))`)
  const csp = `script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types ${FALLBACK ? 'decision-bridge' : "'none'"}`
  const name = `${MARKUP} %c %s %o`
  world.server.pages.set('/', {
    html: html(NOTES, init({ debug: true }), '<script src="/dist/decision-bridge.js"></script>', seen) + script('added.length=0'),
    headers: { 'content-security-policy': csp },
  })
  const page = await world.open('/')
  const named = { experimentId: 'e', variationId: 'v', experimentName: name, variationName: name, userId: name, source: name }
  await until(async () => (await state(page)) === 'running', 'it runs')
  // The fallback's own script came before.
  await page.evaluate((each) => (window.added.length = 0, window.decisionBridge.trackDecision(each)), named)
  const [properties] = await noted(page)
  assert.equal(properties.experimentName, name, 'told as it is')
  const report = await world.diagnose(page)
  assert.equal(report.decisions[0].experimentName, name)
  assert.ok(world.ours('log').some(({ text }) => text.includes(name)), 'logged as it is')
  assert.deepEqual(await page.evaluate(() => [window.added.filter((each) => each !== '#text'), window.pwned]), [[], undefined])
})

story('the demo shows what arrives as text', async (world) => {
  const page = await world.open('/demo/index.html')
  // A story that begins forgets what was shown.
  await page.waitForSelector('#story[data-state=kept]')
  await page.evaluate(async ([name, visitor]) => {
    const event = { type: 'track', event: 'Experiment Viewed', messageId: 'db-1', anonymousId: visitor, properties: { experimentId: '1', experimentName: name, variationId: '2', variationName: name, campaignName: name } }
    await fetch('/v1/t', { method: 'POST', body: JSON.stringify(event) })
  }, [MARKUP, VISITOR])
  await until(() => page.evaluate(() => document.body.textContent.includes('onerror=')), 'the demo shows it')
  assert.equal(await page.evaluate(() => window.pwned), undefined)
  assert.equal(await page.evaluate(() => document.querySelectorAll('img[src="x"]').length), 0)
})

for (const name of shipped) {
  test(`${name} has no door from text to code or markup, and none for messages`, () => {
    const code = readFileSync(dist(name), 'utf8')
    for (const door of [/\.(innerHTML|outerHTML|srcdoc)\b/, /insertAdjacentHTML|createContextualFragment|parseFromString/, /document\.write/, /\beval\(/, /\bnew Function\b|[^.\w]Function\(/, /["'`]message["'`]|onmessage|postMessage/, /setTimeout\(["'`]/]) {
      assert.doesNotMatch(code, door)
    }
  })
}

// G09, threat 15: the address bar

const WISHES = '?debug=true&decisionBridge=debug&writeKey=evil&data-write-key=evil&cdnUrl=https://evil.test&consent=true&requireConsent=false&preview=send&optimizely_force_tracking=true&__proto__[writeKey]=evil&constructor[prototype][requireConsent]=false#debug'

story('the address bar gives no consent, no key and no report', async (world) => {
  world.server.pages.set('/', html(NOTES, optimizely({ campaigns: [abTest()] }), init({ requireConsent: true }), tag(), push('trackDecision', decision())))
  const page = await world.open(`/${WISHES}`)
  await world.counted(page, 'pending', 2)
  await page.evaluate(() => window.decisionBridge.flush())
  await world.idle(page)
  assert.deepEqual(await page.evaluate(() => [window.told, Object.keys(localStorage).filter((key) => key.startsWith('decision-bridge')), Object.keys(sessionStorage).filter((key) => key.startsWith('decision-bridge'))]), [[], [], []])
  assert.deepEqual(world.said.filter(({ text }) => text.startsWith('[decision-bridge] #')), [], 'nothing is logged')
  const report = await world.diagnose(page)
  assert.deepEqual([report.options.writeKey, report.options.debug, report.options.requireConsent], [null, false, true])
})

story('the address bar does not start us', async (world) => {
  world.server.pages.set('/', html(NOTES, tag(), push('trackDecision', decision())))
  const page = await world.open(`/${WISHES}`)
  await until(async () => (await state(page)) === 'waiting for init', 'it waits for init')
  assert.deepEqual(await page.evaluate(() => window.told), [])
  assert.deepEqual(asked(world, 'analytics'), [])
  await page.evaluate(() => window.decisionBridge.init({ preview: 'send' }))
  await noted(page)
})

// G10: what may stand in an address

story('the query and the fragment of the page are neither stored nor told', async (world) => {
  const secrets = '?reset=S3CRET&email=S3CRET%40a.test#S3CRET'
  const page = await world.open(`/account${secrets}`, html(init({ debug: true }), tag(), push('trackDecision', decision())))
  await world.counted(page, 'pending')
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))
  assert.match(stored, /account/, 'the decision waits')
  assert.doesNotMatch(stored, /S3CRET/)
  assert.doesNotMatch(JSON.stringify(await world.diagnose(page)), /S3CRET/)
  await page.goto('about:blank')
  await world.open('/next', html(snippet(world.origin), init(), tag()), page)
  const [event] = await world.delivered(page)
  assert.equal(event.context.page.path, '/account')
  assert.doesNotMatch(JSON.stringify(event), /S3CRET/)
  assert.doesNotMatch(JSON.stringify(world.ours()), /S3CRET/)
})

// Threat 13: storage, where any script of the site can write

const forge = (entries) => script(`for(const [shelf,name,text] of ${js(entries)})window[shelf].setItem('decision-bridge/1/'+name,text)`)

/** A record as we write it down, with other text of the same length in it, left by a page that said goodbye. */
async function forgedRecord(world, ...changes) {
  const forged = { experimentId: 'forged', variationId: 'v', properties: { nine_byte: 'xxxxxxxxxxxx' } }
  const page = await world.open('/forger', html(init(), tag(), push('trackDecision', forged)))
  const find = () => page.evaluate(() => Object.entries(localStorage).find(([name]) => name.includes('/out/'))?.[1])
  let record = await until(find, 'the decision is written down')
  for (const [from, to] of changes) {
    assert.ok(record.includes(from) && from.length === to.length, `${from} stands in ${record}`)
    record = record.replace(from, to)
  }
  await page.goto('about:blank')
  await world.open('/cleaner', script('localStorage.clear();sessionStorage.clear()'), page)
  await page.close()
  return [['localStorage', 'out/1-a/0000001', record], ['localStorage', 'left/1-a', '1']]
}

const WISHED = ['consent', 'options', 'writeKey', 'cdnUrl', 'init', 'requireConsent', 'debug'].flatMap((name) =>
  ['localStorage', 'sessionStorage'].map((shelf) => [shelf, name, name === 'cdnUrl' ? 'https://evil.test' : name === 'writeKey' ? 'evil' : 'true']))

story('a record that was left is taken over, so that the next stories mean something', async (world) => {
  const page = await world.open('/', html(forge(await forgedRecord(world)), NOTES, init(), tag()))
  assert.equal((await noted(page))[0].experimentId, 'forged')
})

story('storage gives no consent: what lies there is neither sent nor read', async (world) => {
  const entries = [...(await forgedRecord(world)), ...WISHED, ['sessionStorage', 'qa', 'optimizely_force_tracking (query)'], ['localStorage', 'visitor', 'forged']]
  const page = await world.open('/', html(forge(entries), NOTES, init({ requireConsent: true }), tag(), push('trackDecision', decision())))
  await world.counted(page, 'pending')
  await page.evaluate(() => window.decisionBridge.flush())
  await world.idle(page)
  const report = await world.diagnose(page)
  assert.deepEqual([await page.evaluate(() => window.told), report.decisions.length, report.options.requireConsent], [[], 1, true])
  await page.evaluate(() => window.decisionBridge.consent(false))
  await until(() => page.evaluate(() => [localStorage, sessionStorage].every((each) => !Object.keys(each).some((key) => key.startsWith('decision-bridge')))), 'all of it is removed')
})

story('storage names no account and no host', async (world) => {
  const page = await world.open('/', html(forge([...WISHED, ...(await forgedRecord(world))]), init(), tag()))
  await world.counted(page, 'pending')
  const report = await world.diagnose(page)
  assert.deepEqual([report.options.writeKey, report.options.cdnUrl, report.options.debug], [null, null, false])
  assert.deepEqual(await scripts(page), ['/', '/', '/', '/dist/decision-bridge.js'])
})

for (const [name, ...change] of [
  ['are no JSON', '"xxxxxxxxxxxx"', '{"polluted":  '],
  ['reach for prototypes', '"xxxxxxxxxxxx"', '{"polluted":1}'],
]) {
  story(
    `a forged record whose properties ${name} costs nothing but itself`,
    async (world) => {
      const entries = await forgedRecord(world, change, ['nine_byte', '__proto__'])
      const page = await world.open('/', html(forge(entries), snippet(world.origin), init(), tag(), push('trackDecision', decision())))
      await until(() => world.exposures().some((event) => event.properties.experimentId === '100'), 'the page’s own decision arrives')
      assert.ok(await page.evaluate(() => !('polluted' in {})))
      await page.evaluate(() => localStorage.clear())
    },
    { errors: true },
  )
}

story('entries of megabytes in our storage: the page goes on, its decision is told, and what we write stays small', async (world) => {
  const huge = "'x'.repeat(7e5)"
  const fill = script(`for(const name of ['visitor','session','out/1-a/0000001','left/1-a','seen/a'])localStorage.setItem('decision-bridge/1/'+name,${huge});
    for(const name of ['preview','qa'])sessionStorage.setItem('decision-bridge/1/'+name,${huge})`)
  const page = await world.open('/', html(fill, NOTES, init({ preview: 'send', qa: 'send' }), tag(), push('trackDecision', decision())))
  const [properties] = await noted(page)
  assert.deepEqual([properties.experimentId, JSON.stringify(properties).length < 1000], ['100', true])
  const report = JSON.stringify(await world.diagnose(page))
  assert.ok(report.length < 100_000, `${report.length} characters of report`)
  // What we wrote anew, and what is left of what was there: nothing that we read, wrote down or removed is huge.
  const sizes = await page.evaluate(() => Object.entries(localStorage).map(([name, entry]) => [name.replace('decision-bridge/1/', ''), entry.length]))
  for (const [name, size] of sizes) assert.ok(size < 1000 || name === 'seen/a', `${size} characters in ${name}`)
})

// A18: integrity

story('the browser runs what integrity.json vouches for, and nothing that was changed since', async (world) => {
  const hashes = JSON.parse(readFileSync(dist('integrity.json'), 'utf8'))
  assert.deepEqual(Object.keys(hashes).sort(), shipped, 'each script has its hash')
  // What begins with an algorithm it does not know, a browser lets pass.
  for (const hash of Object.values(hashes)) assert.match(hash, /^sha384-[A-Za-z0-9+/]{64}$/)
  const code = readFileSync(dist('decision-bridge.js'), 'utf8')
  world.server.pages.set('/changed.js', { html: `${code} `, headers: { 'content-type': 'text/javascript' } })
  const integrity = `integrity="${hashes['decision-bridge.js']}"`
  const changed = await world.open('/first', html(NOTES, init(), `<script async src="/changed.js" ${integrity}></script>`, push('trackDecision', decision())))
  await until(() => world.said.some(({ type, text }) => type === 'error' && text.includes('integrity')), 'the browser complains')
  assert.deepEqual(await changed.evaluate(() => [window.told, Array.isArray(window.decisionBridge), window.decisionBridge.version]), [[], true, undefined])
  await changed.close()
  const page = await world.open('/', html(NOTES, init(), tag(integrity), push('trackDecision', decision())))
  await noted(page)
})
