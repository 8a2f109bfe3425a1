// What others wrote: what must hold of reading it is in fuzz/foreign.mjs. Here it is tried by chance, and
// with all that fuzzing ever found.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fromBytes } from '../../fuzz/any.mjs'
import { fixtures } from '../../fuzz/fixtures.mjs'
import { property } from './page.mjs'

const { properties, useCases } = await import('../../fuzz/foreign.mjs')
useCases(fixtures())

for (const [name, check] of Object.entries(properties)) {
  test(`${name}: whatever comes by chance`, () => property(2000, check))

  test(`${name}: whatever fuzzing found`, () => {
    const folder = new URL(`../../fuzz/corpus/${name}/`, import.meta.url)
    const inputs = readdirSync(folder)
    assert.ok(inputs.length > 0)
    for (const input of inputs) {
      try {
        check(fromBytes(readFileSync(new URL(input, folder))))
      } catch (error) {
        error.message = `${input}: ${error.message}`
        throw error
      }
    }
  })
}
