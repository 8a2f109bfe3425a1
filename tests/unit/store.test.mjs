// What is kept in the browser: it comes back as it went in, and what others may have put there does no
// harm.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AT, load, page, property, told } from './page.mjs'

const { TEXTS, anyItem, isWhole } = await import('../../fuzz/foreign.mjs')
const { make } = await load('decision.js')
const { record, revive } = await load('record.js')
const { makeSession } = await load('session.js')
const { PAGE, SITE, TAB, makeStore } = await load('store.js')
const { nameVisitor } = await load('visitor.js')

// Records

function decided(fields, more) {
  const all = { campaignId: 'c1', experimentId: 'e1', variationId: 'v1', ...fields }
  return Object.assign(make('optimizelyWeb', AT, all, Object.keys(all).join(' ')), more)
}
const PARCEL = [0, 1, 'db-1', false]
const written = (decision, to = [PARCEL], more = {}) =>
  record({ decision, receivedAt: AT, period: 's1', isQa: false, isPreview: false, ...more }, to)

const known = (decision) => {
  const { personalization, ...rest } = told(decision)
  return personalization ? { ...rest, personalization } : rest
}

test('whatever was decided comes back from its record', () => {
  property(1000, (any) => {
    const [item, to] = anyItem(any)
    const back = revive(record(item, to), AT)
    assert.deepEqual(known(back.decision), known(JSON.parse(JSON.stringify(item.decision))))
    assert.deepEqual(back.to, to)
    assert.deepEqual([back.receivedAt, back.period, back.isQa, back.isPreview], [item.receivedAt, item.period, item.isQa, item.isPreview])
  })
})

test('a record that was cut off, or has something behind it, is no item', () => {
  property(1000, (any) => {
    const whole = record(...anyItem(any))
    assert.equal(revive(whole.slice(0, any.below(whole.length)), AT), undefined)
    assert.equal(revive(`${whole}x`, AT), undefined)
  })
})

test('garbage is no item', () => {
  for (const garbage of ['', 'null', '[]', '{}', '1', '"text"', '{"v":3}', '{"v":3,"decision":null}', '{"v":3,"decision":[]}']) {
    assert.equal(revive(garbage, AT), undefined)
  }
  property(1000, ({ text, thing }) => {
    assert.equal(revive(text(40), AT), undefined)
    let entry
    try {
      entry = JSON.stringify(thing(['v', 'decision', 'to', 'source', 'direct', 'decidedAt']))
    } catch {
      // Not everything can be written down.
    }
    assert.equal(revive(entry, AT), undefined)
  })
})

test('a field that is not what it should be never gives half an item', () => {
  property(1000, (any) => {
    const [item, to] = anyItem(any)
    const broken = JSON.parse(record(item, to))
    const names = ['1710000000000', '3', 'direct', 'db-1', 'true', ...TEXTS, 'refused', 'refusal', 'properties', 'mayRedirect', 'shortened', 'period']
    const put = (at) => {
      try {
        at[any.of([...Object.keys(at), any.of(names)])] = JSON.parse(JSON.stringify(any.thing(names, 2)) ?? 'null')
      } catch {
        // Not everything can be written down.
      }
    }
    put(any.of([broken, broken.decision, broken.to, broken.to[0], broken.decision.properties ?? {}]))
    isWhole(revive(JSON.stringify(broken), AT))
  })
})

test('a bit that flipped never throws and never gives half an item', () => {
  property(1000, (any) => {
    const bytes = Buffer.from(record(...anyItem(any)))
    bytes[any.below(bytes.length)] ^= 1 << any.below(8)
    isWhole(revive(bytes.toString(), AT))
  })
})

test('a record of another version, of a time that cannot be, or without what matters is no item', () => {
  const whole = written(decided())
  assert.ok(revive(whole, AT))
  assert.equal(revive(written(decided(), []), AT), undefined, 'without a parcel')
  for (const version of ['2', '4', '"3"', 'null']) assert.equal(revive(whole.replace('"v":3', `"v":${version}`), AT), undefined, version)
  for (const name of ['experimentId', 'variationId']) assert.equal(revive(written(decided({}, { [name]: '' })), AT), undefined, name)
  assert.equal(revive(written(decided(), [[0, 1, 'x'.repeat(101)]]), AT), undefined, 'a key that is too long')
  assert.equal(revive(written(decided(), [[7, 1, 'db-1']]), AT), undefined, 'a destination that is none')
  assert.equal(revive(written(decided({}, { source: 'constructor' })), AT), undefined, 'a source that is none')
  assert.equal(revive(whole.replace(`"decidedAt":${AT}`, '"decidedAt":[{"toString":1}]'), AT), undefined, 'a time that cannot even be compared')
  assert.equal(revive(whole, AT - 2 * 86_400_000), undefined, 'of the future')
  for (const decidedAt of ['"1710000000000"', '"2024-03-09"', 'null', '[1710000000000]']) {
    assert.equal(revive(whole.replace(`"decidedAt":${AT}`, `"decidedAt":${decidedAt}`), AT), undefined, decidedAt)
  }
})

test('what was refused, or told by an event before a redirect, is a plain decision afterwards', () => {
  const back = revive(written(decided({}, { mayRedirect: true, refused: 'invalid', refusal: 'why' })), AT)
  assert.deepEqual([back.decision.refused, back.decision.refusal, back.decision.mayRedirect], [undefined, undefined, undefined])
})

test('texts of a record are cut like any other', () => {
  // As another script may have written it.
  const { decision } = revive(written(decided()).replace('"c1"', `"${'n'.repeat(5000)}"`), AT)
  assert.equal(decision.campaignId.length, 512)
})

// Sessions

/** A session on a store that the test can look into; `at` sets the clock. */
function session(dedupe, sessionTimeoutMs = 1_800_000) {
  const entries = {}
  const store = {
    read: (shelf, name) => entries[`${shelf} ${name}`] ?? '',
    write: (shelf, name, entry) => void (entries[`${shelf} ${name}`] = entry),
    remove: (shelf, name) => void delete entries[`${shelf} ${name}`],
    names: (shelf, prefix) => Object.keys(entries).map((name) => name.slice(2)).filter((name) => name.startsWith(prefix)),
  }
  const now = Date.now
  const of = (name) => {
    const session = makeSession(store, name)
    return Object.assign(session, {
      at(moment, granted = true) {
        Date.now = () => moment
        try {
          return session.continue({ dedupe, sessionTimeoutMs }, granted)
        } finally {
          Date.now = now
        }
      },
    })
  }
  return { entries, of }
}

test('the marks of each scope have their shelf', () => {
  for (const [dedupe, shelf] of [['page', PAGE], ['none', PAGE], ['tab', TAB], ['session', SITE], ['visitor', SITE]]) {
    const { entries, of } = session(dedupe)
    const one = of('p1')
    one.at(AT)
    one.remember({ key: 'k', outcome: 'o' }, 0, 1)
    assert.ok(`${shelf} seen/k/segment` in entries, dedupe)
  }
})

test('a mark is known within its period, and what is younger stays', () => {
  const one = session('session', 1000).of('p1')
  const [a, b] = ['a', 'b'].map((outcome) => ({ key: 'k', outcome }))
  one.at(AT)
  assert.deepEqual(one.recall(a, 0), [])
  one.remember(a, 0, 2)
  one.remember(b, 0, 1)
  assert.deepEqual([one.recall(b, 0), one.recall(b, 1)], [[2, 'a'], []], 'each destination has its own')
  one.unlearn(b, 0, 2)
  one.unlearn(a, 0, 1)
  assert.deepEqual(one.recall(a, 0), [2, 'a'], 'it is not theirs to remove')
  one.unlearn(a, 0, 2)
  assert.deepEqual(one.recall(a, 0), [])
  one.remember(a, 0, 1)
  one.at(AT + 5000)
  assert.deepEqual(one.recall(a, 0), [], 'another period')
})

test('a session runs over pages until its time is out', () => {
  const { of } = session('session', 1000)
  const first = of('p1').at(AT)
  assert.equal(of('p2').at(AT + 1000), first)
  assert.equal(of('p3').at(AT + 2000), first, 'each page continues it')
  const next = of('p4').at(AT + 3001)
  assert.notEqual(next, first)
  assert.equal(of('p5').at(AT + 3500), next)
})

test('a decision continues a session like a page', () => {
  const { of } = session('session', 1000)
  const one = of('p1')
  const first = one.at(AT)
  for (let passed = 900; passed < 9000; passed += 900) assert.equal(one.at(AT + passed), first)
  assert.notEqual(one.at(AT + 9000 + 1001), first)
})

test('a clock that was set back does not end a session', () => {
  const { of } = session('session')
  const first = of('p1').at(AT)
  assert.equal(of('p2').at(AT - 1e9), first)
  const one = of('p3')
  one.at(AT + 1e6)
  assert.equal(one.at(AT - 1e6), first)
})

test('two tabs that open at the same time come to the same session', () => {
  const [one, other] = [session('session'), session('session')]
  assert.equal(one.of('p1').at(AT), other.of('p2').at(AT + 5))
})

test('the other scopes are their own period', () => {
  assert.equal(session('page').of('p1').at(AT), 'p1')
  assert.equal(session('none').of('p1').at(AT), 'p1')
  assert.equal(session('visitor').of('p1').at(AT), 'visitor')
  const { of } = session('tab')
  assert.equal(of('p1').at(AT), 'p1')
  assert.equal(of('p2').at(AT + 1e12), 'p1', 'a tab never times out')
})

test('without consent nothing is read or written, and the page is the period', () => {
  for (const dedupe of ['session', 'tab', 'page', 'none']) {
    const { of, entries } = session(dedupe)
    assert.equal(of('p1').at(AT, false), 'p1')
    assert.deepEqual(entries, {})
  }
})

test('with a session its marks end', () => {
  const { of, entries } = session('session', 1000)
  of('p1').at(AT)
  entries[`${SITE} seen/abc`] = 'mark'
  of('p2').at(AT + 500)
  assert.ok(`${SITE} seen/abc` in entries)
  of('p3').at(AT + 5000)
  assert.ok(!(`${SITE} seen/abc` in entries))
})

test('a session that is no session does not run', () => {
  const { of, entries } = session('session')
  const fresh = of('p1').at(AT)
  for (const entry of ['', ' ', 'id', 'id ', 'id x', ` ${AT}`, `id -${AT}`, `id ${AT} 6`, `${'i'.repeat(65)} ${AT}`, `id ${AT}x`]) {
    entries[`${SITE} session`] = entry
    assert.equal(of('p2').at(AT), fresh, JSON.stringify(entry))
  }
  entries[`${SITE} session`] = `id ${AT}`
  assert.equal(of('p2').at(AT), 'id')
  property(1000, ({ text }) => {
    entries[`${SITE} session`] = text(20)
    assert.match(of('p3').at(AT), /^\S{1,64}$/)
  })
})

// The store

function storage(limits = {}) {
  const kept = {}
  const methods = {
    getItem: (name) => (Object.hasOwn(kept, name) ? kept[name] : null),
    setItem(name, entry) {
      if (limits.full) throw new Error('QuotaExceededError')
      if (!limits.deaf) kept[name] = String(entry)
    },
    removeItem: (name) => void delete kept[name],
  }
  // As in a browser the entries are its own fields, the methods are not.
  return [new Proxy(kept, { get: (_, name) => methods[name] ?? kept[name] }), kept]
}

function opened(limits, globals) {
  const [localStorage, site] = storage(limits)
  const [sessionStorage, tab] = storage(limits)
  page(globals ?? { localStorage, sessionStorage })
  const warnings = []
  const store = makeStore((text) => warnings.push(text))
  return { store, site, tab, warnings }
}

test('all names begin alike, and come in order', () => {
  const { store, site, tab } = opened()
  store.open()
  for (const name of ['out/17-b/0000002', 'out/17-a/0000010', 'out/17-a/0000009', 'seen/x']) store.write(SITE, name, 'entry')
  store.write(TAB, 'qa', 'yes')
  store.write(PAGE, 'seen/y', 'on this page')
  assert.deepEqual(store.names(SITE, 'out/'), ['out/17-a/0000009', 'out/17-a/0000010', 'out/17-b/0000002'])
  assert.deepEqual(store.names(PAGE, 'seen/'), ['seen/y'])
  assert.ok(Object.keys(site).every((name) => name.startsWith('decision-bridge/1/')))
  assert.deepEqual(tab, { 'decision-bridge/1/qa': 'yes' })
  assert.equal(store.read(PAGE, 'seen/y'), 'on this page')
})

test('names of others are not touched', () => {
  const { store, site } = opened()
  site['decision-bridge/2/out/x'] = site.ajs_user_id = 'theirs'
  store.open()
  store.write(SITE, 'out/x', 'ours')
  store.purge()
  assert.deepEqual(site, { 'decision-bridge/2/out/x': 'theirs', ajs_user_id: 'theirs' })
})

test('before it is opened nothing is touched, and the page remembers', () => {
  const refuse = () => {
    throw new Error('touched')
  }
  page(Object.defineProperties({}, { localStorage: { get: refuse, enumerable: false }, sessionStorage: { get: refuse, enumerable: false } }))
  const store = makeStore(() => assert.fail('warned'))
  store.write(SITE, 'a', '1')
  assert.equal(store.read(SITE, 'a'), '1')
  assert.deepEqual(store.names(SITE, ''), ['a'])
  store.remove(SITE, 'a')
  assert.equal(store.read(SITE, 'a'), '')
})

test('storage that is blocked, full or deaf costs nothing but the next page', () => {
  const blocked = opened({}, { localStorage: null, sessionStorage: null })
  const throwing = opened({}, { localStorage: null, sessionStorage: null })
  for (const opens of [
    () => blocked,
    () => {
      Object.defineProperty(window, 'localStorage', { configurable: true, get() { throw new Error('SecurityError') } })
      return throwing
    },
    () => opened({ full: true }),
    () => opened({ deaf: true }),
  ]) {
    const { store, warnings } = opens()
    store.write(SITE, 'a', '1')
    assert.deepEqual(warnings, [], 'what is not opened is not missed')
    store.open()
    store.write(SITE, 'a', '1')
    assert.equal(store.read(SITE, 'a'), '1')
    assert.deepEqual(store.names(SITE, ''), ['a'])
    assert.equal(warnings.length, 1)
    store.purge()
    assert.equal(store.read(SITE, 'a'), '')
  }
})

test('what was there before does not prove that storage keeps what is written', () => {
  const { store, site, warnings } = opened({ deaf: true })
  site['decision-bridge/1/visitor'] = 'one'
  store.open()
  store.write(SITE, 'visitor', 'one')
  assert.deepEqual(warnings, [], 'it is there')
  store.write(SITE, 'out/x', 'waits')
  assert.equal(warnings.length, 1)
  assert.equal(store.read(SITE, 'out/x'), 'waits')
})

test('what is in storage again is not in memory any more', () => {
  const limits = { full: true }
  const { store, site } = opened(limits)
  store.open()
  // What an earlier page left stays where ours is in memory only.
  assert.ok(!store.write(SITE, 'a', '1'))
  limits.full = false
  assert.ok(store.write(SITE, 'a', '2'))
  assert.deepEqual(site, { 'decision-bridge/1/a': '2' })
  assert.equal(store.read(SITE, 'a'), '2')
  assert.deepEqual(store.names(SITE, ''), ['a'])
})

test('an entry of another script is cut, and what could not be stored comes before what is', () => {
  const limits = {}
  const { store, site } = opened(limits)
  store.open()
  site['decision-bridge/1/long'] = 'x'.repeat(50_000)
  assert.equal(store.read(SITE, 'long').length, 32_000)
  limits.full = true
  store.write(SITE, 'long', 'short')
  assert.equal(store.read(SITE, 'long'), 'short')
})

// Claims on the visitor's name

/** The page's cookies, the oldest first, as browsers keep them; `attributes` are those of the last one set. */
function jar() {
  const cookies = new Map()
  const last = {}
  Object.defineProperty(document, 'cookie', {
    configurable: true,
    get: () => [...cookies].map((pair) => pair.join('=')).join('; '),
    set(text) {
      const [pair, ...attributes] = text.split(';')
      last.attributes = attributes
      if (attributes.includes('max-age=0')) cookies.delete(pair.split('=')[0])
      else cookies.set(...pair.split('='))
    },
  })
  return { cookies, last }
}

test('of several claims the first one counts, for all', () => {
  const { store } = opened()
  const { last } = jar()
  assert.match(store.claim('1710-b'), /1710-b=$/)
  // It is set where no other host and no other path can set another one, and for a short time.
  assert.deepEqual(last.attributes, ['secure', 'path=/', 'max-age=30'])
  for (const name of ['1710-a', '1710-c', '1709-z']) assert.match(store.claim(name), /1710-b=$/)
  assert.deepEqual([...document.cookie.matchAll(/(\S+?)-1/g)].map(([, name]) => name), Array(4).fill('__Host-decision-bridge'))
})

test('cookies of others are no claims, and stay', () => {
  const { store } = opened()
  const { cookies } = jar()
  for (const name of ['ajs_anonymous_id', 'decision-bridge-1', '__Host-decision', 'x__Host-decision-bridge-1']) cookies.set(name, '1')
  cookies.set('theirs', '__Host-decision-bridge-1')
  assert.match(store.claim('17-a'), /17-a=$/)
  store.purge()
  assert.deepEqual([...cookies.keys()], ['ajs_anonymous_id', 'decision-bridge-1', '__Host-decision', 'x__Host-decision-bridge-1', 'theirs'])
})

test('where cookies are blocked, or forget, a claim gives what was claimed', () => {
  for (const cookie of [{ get: () => '', set() {} }, { get() { throw new Error('SecurityError') }, set() { throw new Error('SecurityError') } }]) {
    const { store } = opened()
    Object.defineProperty(document, 'cookie', { ...cookie, configurable: true })
    assert.equal(store.claim('17-a'), '17-a')
    store.purge()
  }
})

test('the visitor keeps a name that is known', () => {
  const { store, site } = opened()
  jar()
  store.open()
  const name = nameVisitor(store, '17-a')
  assert.match(name, /17-a=$/)
  assert.equal(nameVisitor(store, '17-b'), name, 'on the next page')
  site['decision-bridge/1/visitor'] = 'theirs'
  assert.equal(nameVisitor(store, '17-a', name), 'theirs', 'another tab had the last word')
  delete site['decision-bridge/1/visitor']
  assert.equal(nameVisitor(store, '17-a', 'theirs'), 'theirs', 'what the site threw away is written again')
  assert.equal(site['decision-bridge/1/visitor'], 'theirs')
  delete site['decision-bridge/1/visitor']
  assert.equal(nameVisitor(store, '17-a', 'y'.repeat(128)), 'y'.repeat(99), 'the same as on the next page')
  site['decision-bridge/1/visitor'] = 'x'.repeat(1000)
  assert.equal(nameVisitor(store, '17-a').length, 99)
  assert.equal(site['decision-bridge/1/visitor'].length, 99)
})

test('Optimizely’s name comes before one of our own', () => {
  const { store } = opened()
  const { cookies } = jar()
  cookies.set('optimizelyEndUserId', 'oeu1')
  assert.equal(nameVisitor(store, '17-a'), 'oeu1')
  assert.equal(cookies.size, 1)
})
