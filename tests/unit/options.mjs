// What tests of options share: options as they are in force, and the exact words of a refusal.

import assert from 'node:assert/strict'
import { ONE_OF_EACH_KIND, load } from './page.mjs'

const { parse: parseOwn } = await load('options.js')
const { parse: parseExtras } = await load('extra-options.js')

/** All options, as they are in force once the extras have read theirs. */
export function parse(given, mistakes) {
  const options = parseOwn(given, mistakes)
  return Object.assign(options, parseExtras(options, mistakes))
}

/** A copy that stands for itself: options have no prototypes, and share their defaults. */
export const plain = ({ extras, ...options }) => JSON.parse(JSON.stringify(options))
export const parsed = (given) => {
  const mistakes = []
  const options = parse(given, mistakes)
  return [plain(options), mistakes]
}
export const DEFAULTS = parsed({})[0]

export function good(given) {
  const [options, mistakes] = parsed(given)
  assert.deepEqual(mistakes, [])
  return options
}

/** The option is refused with these words, falls back to its default, and disturbs no other. */
export function refuses(given, mistake) {
  const [options, mistakes] = parsed(given)
  assert.deepEqual(mistakes, [mistake])
  assert.deepEqual(options, DEFAULTS, mistake)
  // The extras complain only where they are asked for, and what is empty asks for nothing.
  const told = []
  const { extras } = parseOwn(given, told)
  const isEmpty = (value) => value === null || value === false || (Object(value) === value && !Object.keys(value).length)
  if (!Object.values(given).every(isEmpty) || 'forwardEvents' in given) assert.ok(told.length || extras, `who says ${mistake}?`)
  const [besides, still] = parsed({ eventName: 'Seen', pollIntervalMs: 77, ...given })
  assert.deepEqual(still, [mistake])
  assert.ok(besides.eventName === 'Seen' || besides.pollIntervalMs === 77)
}

/** Every kind of value but those is refused. */
export function refusesAllBut(good, name, wanted) {
  for (const [value, spelled] of ONE_OF_EACH_KIND) {
    if (!good.includes(spelled)) refuses({ [name]: value }, `init: option \`${name}\` is ${spelled}, must be ${wanted}`)
  }
}

/** As a text of one of each kind is shown that is too long. */
export const LONG = '"0123456789012345678901234567890123456789…"'
