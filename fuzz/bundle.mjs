// Makes one script of fuzz/foreign.mjs and all it tries, for QuickJS: `node fuzz/bundle.mjs <file>`. The
// JavaScript that ships counts its branches in `hits`, which is how the fuzzer sees that an input reached
// something new.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { fixtures } from './fixtures.mjs'

const require = createRequire(new URL('../tests/node_modules/any.js', import.meta.url))
const acorn = require('acorn')
const esbuild = require('esbuild')
const { full } = require('acorn-walk')

/** How many branches there is room for; fuzz/foreign.rs has as much. */
const ROOM = 8192
let branches = 0

/** The same script, with a count at the beginning of each branch. */
function instrument(text) {
  const insertions = []
  let order = 0
  const put = (at, isStart, inserted) => insertions.push({ at, isStart, order, inserted })
  const hit = () => `hits[${branches++}]++`
  const expression = (node) => {
    put(node.start, 1, `(${hit()},`)
    put(node.end, 0, ')')
  }
  const statement = (node) => {
    if (node.type === 'BlockStatement') return put(node.start + 1, 1, `${hit()};`)
    put(node.start, 1, `{${hit()};`)
    put(node.end, 0, '}')
  }
  const body = (node) => (node.type === 'BlockStatement' ? statement : expression)(node)
  const ways = {
    FunctionDeclaration: (node) => body(node.body),
    FunctionExpression: (node) => body(node.body),
    ArrowFunctionExpression: (node) => body(node.body),
    ConditionalExpression: ({ consequent, alternate }) => [consequent, alternate].forEach(expression),
    LogicalExpression: ({ right }) => expression(right),
    AssignmentExpression: ({ operator, right }) => /^(\|\||&&|\?\?)=$/.test(operator) && expression(right),
    AssignmentPattern: ({ right }) => expression(right),
    IfStatement: ({ consequent, alternate }) => [consequent, alternate].filter(Boolean).forEach(statement),
    ForStatement: (node) => statement(node.body),
    ForOfStatement: (node) => statement(node.body),
    CatchClause: (node) => statement(node.body),
  }
  // Inner nodes come first: what opens outside stands before what opens within, and closes after it.
  full(acorn.parse(text, { ecmaVersion: 2022, sourceType: 'module' }), (node) => {
    order += 1
    ways[node.type]?.(node)
  })
  insertions.sort((one, other) => one.at - other.at || one.isStart - other.isStart || (one.isStart ? other.order - one.order : one.order - other.order))
  let made = ''
  let from = 0
  for (const { at, inserted } of insertions) {
    made += text.slice(from, at) + inserted
    from = at
  }
  return made + text.slice(from)
}

await esbuild.build({
  stdin: {
    contents: `import { fromBytes } from './any.mjs'
      import { properties, useCases } from './foreign.mjs'
      useCases(${JSON.stringify(fixtures())})
      globalThis.check = (name, bytes) => {
        hits.fill(0)
        properties[name](fromBytes(bytes))
      }`,
    resolveDir: fileURLToPath(new URL('.', import.meta.url)),
  },
  banner: { js: `globalThis.hits = new Uint8Array(${ROOM});` },
  bundle: true,
  format: 'iife',
  target: 'es2021',
  charset: 'ascii',
  outfile: process.argv[2],
  logLevel: 'warning',
  plugins: [
    {
      name: 'branches',
      setup: (build) => build.onLoad({ filter: /\/www\/.*\.js$/ }, ({ path }) => ({ contents: instrument(readFileSync(path, 'utf8')) })),
    },
  ],
})
if (branches > ROOM) throw new Error(`${branches} branches, and room for ${ROOM}`)
console.log(`${branches} branches`)
