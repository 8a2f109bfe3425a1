// The way back: analytics events, and what Optimizely Web is told of them, verbatim.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, property } from './page.mjs'

const { commands } = await load('forward.js')
const { parse } = await load('extra-options.js')

/** What is pushed to Optimizely for an event, with these options beside `to`. */
function pushed(given, event) {
  const mistakes = []
  const { forwardEvents } = parse({ forwardEvents: { ...given, to: 'optimizelyWeb' } }, mistakes)
  assert.deepEqual(mistakes, [])
  return commands(event, forwardEvents)
}

function tags(given, event, properties) {
  const [command, ...others] = pushed(given, { tool: 'segment', type: 'track', event, properties })
  assert.deepEqual(others, [])
  assert.deepEqual({ ...command, tags: 0 }, { type: 'event', eventName: event, tags: 0 })
  return command.tags
}

/** The revenue that is pushed for this one. */
const revenue = (how, came) => tags({ revenue: how }, 'Bought', { revenue: came }).revenue

test('events are spelled verbatim', () => {
  const page = (tool, category, name) => ({ tool, type: 'page', category, name, properties: { path: '/docs' } })
  const viewed = (...names) => names.map((eventName) => ({ type: 'event', eventName, tags: { path: '/docs' } }))
  for (const [event, wanted] of [
    [{ tool: 'segment', type: 'track', event: 'Signed Up', properties: { plan: 'pro', seats: 3 } }, [{ type: 'event', eventName: 'Signed Up', tags: { plan: 'pro', seats: 3 } }]],
    [{ tool: 'segment', type: 'track', event: 'cart:add:item' }, [{ type: 'event', eventName: 'cart_add_item', tags: {} }]],
    [page('segment', 'Docs', 'Intro'), viewed('Viewed Docs Page', 'Viewed Docs Intro Page')],
    [page('segment', null, 'Intro'), viewed('Viewed Intro Page')],
    [page('segment', 'Docs', undefined), viewed('Viewed Docs Page')],
    [page('rudderstack', 'Docs', 'Intro'), viewed('Viewed Docs page', 'Viewed Intro page')],
    [page('rudderstack', null, 'Intro'), viewed('Viewed Intro page')],
    [page('segment', null, null), []],
    [page('segment', '', ''), []],
    [{ tool: 'segment', type: 'identify', event: 'x' }, []],
    [{ tool: 'segment', type: 'track', event: null }, []],
    [{ tool: 'segment', type: 'track', event: {} }, []],
  ]) {
    assert.deepEqual(pushed({}, event), wanted)
  }
})

test('only what was asked for is forwarded', () => {
  const page = { tool: 'segment', type: 'page', category: 'Docs', name: 'Intro' }
  const names = (given, event) => pushed(given, event).map(({ eventName }) => eventName)
  assert.deepEqual(names({ track: false }, { tool: 'segment', type: 'track', event: 'Signed Up' }), [])
  assert.deepEqual(names({ namedPages: false }, page), ['Viewed Docs Page'])
  assert.deepEqual(names({ categorizedPages: false }, page), ['Viewed Docs Intro Page'])
  assert.deepEqual(names({ namedPages: false, categorizedPages: false }, page), [])
})

test('tags are what Optimizely takes', () => {
  const properties = {
    text: 'a "b"', number: 1.5, flag: true, big: 12345678901234567890n, nothing: null, missing: undefined, list: [1], object: { a: 1 },
    function: () => {}, nan: NaN, infinite: -Infinity, long: 'x'.repeat(600), empty: '',
    get broken() { throw new Error('broken') },
  }
  assert.deepEqual(tags({}, 'Bought', properties), {
    text: 'a "b"', number: 1.5, flag: true, big: '12345678901234567890', long: 'x'.repeat(512), empty: '',
  })
})

test('revenue is a number whatever it came as', () => {
  for (const [came, asIs, cents] of [
    [49.99, 49.99, 4999],
    [5, 5, 500],
    [0.1, 0.1, 10],
    [0.29000000000000004, 0.29000000000000004, 29],
    [1.005, 1.005, 101],
    [19.999, 19.999, 2000],
    [-12.5, -12.5, -1250],
    [12n, 12, 1200],
    ['49.99', 49.99, 4999],
    [' 49.99 ', 49.99, 4999],
    ['$9.99', 9.99, 999],
    ['$1,234.50', 1234.5, 123_450],
    ['1,234,567.8 USD', 1_234_567.8, 123_456_780],
    ['1.234,50 €', 1234.5, 123_450],
    ['1 234,50 €', 1234.5, 123_450],
    ['1\u202f234,50\u00a0€', 1234.5, 123_450],
    ["CHF 1'234.50", 1234.5, 123_450],
    ['9,99 €', 9.99, 999],
    ['1,234', 1234, 123_400],
    ['1.234.567', 1_234_567, 123_456_700],
    ['Rs.500', 500, 50_000],
    ['-$5', -5, -500],
    ['$-5.00', -5, -500],
    ['007', 7, 700],
    ['.5', 0.5, 50],
  ]) {
    assert.equal(revenue('as-is', came), asIs, `${came} as it is`)
    assert.equal(revenue('cents', came), cents, `${came} in cents`)
  }
})

test('what is no number or nothing is no revenue', () => {
  for (const came of [
    0, '0', '0.00', '$0', -0, '', 'free', '$', null, true, [49.99], { amount: 49.99 }, NaN, Infinity, undefined, '12 or 13',
    'order no. 12345', '1e3', 1e300, '9'.repeat(40), '2024-03-01', 'NaN',
  ]) {
    for (const how of ['as-is', 'cents']) assert.equal(revenue(how, came), undefined, `${came} ${how}`)
  }
  assert.equal(revenue('as-is', 0.004), 0.004)
  assert.equal(revenue('cents', 0.004), undefined, 'less than a cent')
})

test('value and quantity are numbers too and may be nothing', () => {
  const properties = { value: '$12.50', quantity: '3', revenue: 1, discount: '$1' }
  assert.deepEqual(tags({ revenue: 'cents' }, 'Bought', properties), { value: 12.5, quantity: 3, revenue: 100, discount: '$1' })
  assert.deepEqual(tags({}, 'Bought', { value: 0, quantity: 'many' }), { value: 0 }, 'they are no revenue')
})

test('revenue may be left to some events', () => {
  const only = { onlyRevenueFor: ['Order Completed', 'Viewed Docs Page'] }
  const properties = { revenue: 5, plan: 'pro' }
  assert.deepEqual(tags(only, 'Order Completed', properties), properties)
  assert.deepEqual(tags(only, 'Product Added', properties), { plan: 'pro' })
  assert.deepEqual(tags({ onlyRevenueFor: [] }, 'Order Completed', properties), { plan: 'pro' })
  assert.deepEqual(tags({}, 'Product Added', properties), properties, 'by default all have it')
  const page = { tool: 'segment', type: 'page', category: 'Docs', properties: { revenue: 5 } }
  assert.deepEqual(pushed(only, page)[0].tags, { revenue: 5 })
})

test('whatever is told, what is pushed is what Optimizely takes', () => {
  property(2000, ({ thing }) => {
    const names = ['revenue', 'value', 'quantity', '$1.50', '1,2', 'track', 'page', 'segment']
    const event = { tool: 'segment', type: 'track', event: thing(names, 1), category: thing(names, 1), name: thing(names, 1), properties: thing(names) }
    for (const { eventName, tags } of pushed({}, event)) {
      assert.ok(typeof eventName === 'string' && eventName && !eventName.includes(':'))
      for (const name of Object.keys(tags)) {
        const value = tags[name]
        assert.ok(['string', 'boolean'].includes(typeof value) || Number.isFinite(value), name)
        if (['revenue', 'value', 'quantity'].includes(name)) assert.ok(Number.isFinite(value), name)
      }
    }
  })
})
