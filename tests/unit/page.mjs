// A page without a browser: the globals that the modules look at, and what the tests share.

import { register } from 'node:module'

register('./loader.mjs', import.meta.url)

/** The moment at which things are decided in tests, unless they say otherwise. */
export const AT = 1_710_000_000_000
/** The same, as it is told. */
export const TIME = '2024-03-09T16:00:00.000Z'

globalThis.VERSION = 'test'
/** Loads a module of www/. */
export const load = (path) => import(`../../www/${path}`)

/** Sets the page up anew: its cookies, its query, and the globals of `window`. */
export function page({ cookie = '', search = '', ...globals } = {}) {
  const location = { search, origin: 'https://shop.test', pathname: '/a', host: 'shop.test', href: `https://shop.test/a${search}` }
  const document = { cookie, title: 'A page' }
  Object.assign(globalThis, { window: { ...globals, location, document }, location, document })
  return globalThis.window
}
page()

/**
 * A value out of JSON, with what JSON cannot say: `{"$": "f"}` is a function, `m` nothing, `d…` a number,
 * `g…` a BigInt. What a method gives stands under its name: for a word `"get!state"`, for nothing
 * `"getData!"`, for an object with one field `"getNames@id"`.
 */
export function real(value) {
  if (Array.isArray(value)) return value.map(real)
  if (value === null || typeof value !== 'object') return value
  const names = Object.keys(value)
  if (names.length === 1 && typeof value.$ === 'string') {
    const text = value.$.slice(1)
    return { m: undefined, f: () => {}, d: Number(text), g: value.$[0] === 'g' ? BigInt(text) : 0 }[value.$[0]]
  }
  const made = {}
  for (const name of names) {
    const [, method, sign, field] = /^(\w+)([!@])(.*)/.exec(name) ?? []
    const found = real(value[name])
    const answer =
      sign === '@'
        ? (argument) => (Object.keys(argument).join() === field ? found : undefined)
        : (word = '') => real(value[`${method}!${word}`])
    Object.defineProperty(made, method ?? name, { value: method ? answer : found, enumerable: true, configurable: true, writable: true })
  }
  return made
}

/** A thing nothing can be read of: every look throws. */
export const locked = () => {
  const refuse = () => {
    throw new Error('locked')
  }
  const names = 'get has ownKeys getOwnPropertyDescriptor getPrototypeOf set apply construct'.split(' ')
  return new Proxy({}, Object.fromEntries(names.map((name) => [name, refuse])))
}

/** A proxy that even `Array.isArray` throws at. */
export const revoked = (target = {}) => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** Everything a decision knows; what is not known is left out. */
export function told(decision) {
  const { isHoldback, properties, ...known } = decision
  if (isHoldback) known.isHoldback = isHoldback
  if (properties && Object.keys(properties).length) known.properties = { ...properties }
  return known
}

/** One value of each kind, and how an error message spells it. */
export const ONE_OF_EACH_KIND = [
  [null, 'null'],
  [true, 'true'],
  [false, 'false'],
  [7.5, '7.5'],
  [-1, '-1'],
  [NaN, 'NaN'],
  [Infinity, 'Infinity'],
  [12n, '12n'],
  ['no such', '"no such"'],
  ['', '""'],
  ['0123456789'.repeat(5), '"0123456789012345678901234567890123456789…"'],
  [[], 'a list'],
  [{}, 'an object'],
  [() => {}, 'a function'],
]

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const LETTERS = [...'abcXYZ019 :=;&%,.|/[]{}"\\\u0000\u001f\u007f\u2028é漢😀', '\ud83d', '__proto__', 'constructor', 'toString']
const ODD = [
  undefined, null, true, false, 0, -0, 1, -1, 7.5, NaN, Infinity, -Infinity, 1e300, 2 ** 53, 12n, '', ' ', 'auto', 'x'.repeat(600), Symbol('odd'),
  () => {}, new Date(0), new Date(NaN), /x/, new Map(), Object.create(null), revoked(), revoked([]), locked(),
]
const HOSTILE = [
  { get wanted() { throw new Error('hostile') } },
  { toString() { throw new Error('hostile') }, valueOf() { throw new Error('hostile') }, toJSON() { throw new Error('hostile') } },
  Object.defineProperty([1], 0, { get() { throw new Error('hostile') }, enumerable: true }),
]

/** What a property is tried with: all by chance. */
export function makeAny(random) {
  const below = (most) => Math.floor(random() * most)
  const of = (list) => list[below(list.length)]
  const text = (most = 8) => Array.from({ length: below(most + 1) }, () => of(LETTERS)).join('')
  /** Anything a page can pass; `names` are those worth trying. */
  function thing(names, depth = 3) {
    const kind = below(depth ? 8 : 4)
    if (kind < 2) return of(ODD)
    if (kind === 2) return of(names)
    if (kind === 3) return of([text(), of(HOSTILE), below(1e6)])
    if (kind === 4) return Array.from({ length: below(4) }, () => thing(names, depth - 1))
    return Object.fromEntries(Array.from({ length: below(6) }, () => [of([of(names), of(names), text()]), thing(names, depth - 1)]))
  }
  return { below, of, text, thing }
}

/** Tries a property many times, each time by another chance, and says by which it failed. */
export function property(rounds, check) {
  const first = Number(process.env.SEED) || (Date.now() % 1e9)
  for (let round = 0; round < (process.env.SEED ? 1 : rounds); round++) {
    const seed = first + round
    try {
      check(makeAny(mulberry32(seed)))
    } catch (error) {
      error.message = `SEED=${seed}: ${error.message}`
      throw error
    }
  }
}
