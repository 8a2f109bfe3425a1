// A page without a browser, and anything that can come from one: by chance, or as a fuzzer's bytes say.

/** The moment at which things are decided, unless something else is said. */
export const AT = 1_710_000_000_000

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

/** Anything, as these bytes say; when they are used up, the first of all that there is to choose from. */
export function fromBytes(bytes) {
  let at = 0
  const next = () => bytes[at++] ?? 0
  return makeAny(() => (next() + next() / 256) / 256)
}
