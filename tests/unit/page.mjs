// A page without a browser: the globals that the modules look at, and what the tests share.

import { register } from 'node:module'
import { makeAny, mulberry32 } from '../../fuzz/any.mjs'

export { AT, locked, page, real, revoked } from '../../fuzz/any.mjs'

register('./loader.mjs', import.meta.url)

/** The moment at which things are decided in tests, as it is told. */
export const TIME = '2024-03-09T16:00:00.000Z'

globalThis.VERSION = 'test'
/** Loads a module of www/. */
export const load = (path) => import(`../../www/${path}`)

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
