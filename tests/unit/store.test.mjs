// What is kept in the browser: storage where it can be, memory where not, and what the visitor is called.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, page } from './page.mjs'

const { PAGE, SITE, TAB, makeStore } = await load('store.js')
const { nameVisitor } = await load('visitor.js')

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
