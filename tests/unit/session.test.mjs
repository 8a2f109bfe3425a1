// The dedupe period, and the marks that are known within it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AT, load, property } from './page.mjs'

const { makeSession } = await load('session.js')
const { PAGE, SITE, TAB } = await load('store.js')

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
  one.forget(b, 0, 2)
  one.forget(a, 0, 1)
  assert.deepEqual(one.recall(a, 0), [2, 'a'], 'it is not theirs to remove')
  one.forget(a, 0, 2)
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
