// Takes the protections out, one by one, and sees whether the tests that tests/FAULTS.md names for the
// row fail: `./build.sh protections`, or with rows, `./build.sh protections B05 C18`. What to take out
// stands in the files beside this one, for each row a list of edits, `[file, text, what to put there]`;
// all edits of one entry are made at once, in a copy of the tree. With `--fit` nothing is played: it only
// sees that every row that is held has an entry, and that there is what the entries take out.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
// Always the same folder, so that Rust is compiled once.
const TREE = join(resolve(ROOT, process.env.CARGO_TARGET_DIR || 'target'), 'protections')
const MODULES = ['small', 'fallback'].map((kind) => join(TREE, 'target', kind, 'wasm32-unknown-unknown/release/decision_bridge.wasm'))
const HEAVIER = { BUDGET_BYTES: '40000' }

const rows = heldRows(readFileSync(join(ROOT, 'tests/FAULTS.md'), 'utf8'))
const entries = await allEntries()
const without = [...rows.keys()].filter((row) => !entries.some((entry) => entry.row === row))
const wanted = process.argv.slice(2)
let missed = 0
let isForeignCore = false // whether the modules are those of an entry
if (wanted[0] === '--fit') {
  for (const { row, edits } of entries) for (const edit of edits) attempt(row, () => cut(ROOT, ...edit))
} else {
  for (const row of wanted) if (!entries.some((entry) => entry.row === row)) throw new Error(`nothing is taken out for ${row}`)
  copyTree()
  say('building what nothing is taken out of')
  must('./build.sh', ['dist'])
  for (const { row, edits } of entries) if (wanted.length === 0 || wanted.includes(row)) attempt(row, () => takeOut(row, edits))
}
if (without.length > 0 && !rows.has(wanted[0])) {
  missed += 1
  say(`${without.join(', ')}  nothing is taken out`)
}
process.exitCode = missed > 0 ? 1 : 0

function attempt(row, action) {
  try {
    action()
  } catch (error) {
    missed += 1
    say(`${row}  ${error.message}`)
  }
}

/** Takes out what an entry says, and sees the row's tests fail. */
function takeOut(row, edits) {
  const before = edits.map(([file]) => [file, readFileSync(join(TREE, file), 'utf8')])
  try {
    for (const edit of edits) writeFileSync(join(TREE, edit[0]), cut(TREE, ...edit))
    build(edits)
    // Twice, for a busy machine lets a test fail that has nothing to do with it.
    const failed = rows.get(row).filter(fails).filter(fails).map(([file]) => file)
    if (failed.length === 0) throw new Error(`NOT NOTICED without ${edits.map(([file, text]) => `${file}: ${text}`).join(' and ')}`)
    say(`${row}  ${edits.map(([file]) => file).join(', ')}: noticed by ${failed.join(', ')}`)
  } finally {
    for (const [file, text] of before) writeFileSync(join(TREE, file), text)
  }
}

function say(line) {
  process.stdout.write(line + '\n')
}

/** The rows that are held, with the tests that prove them, by file: `[file, names]`. */
function heldRows(table) {
  const held = new Map()
  for (const [, row, proof] of table.matchAll(/^\| (\w\d\d) \| .* \| held \| (.+) \|$/gm)) {
    const files = new Map()
    for (const named of proof.split('<br>')) {
      const [file, name] = /^fixtures\//.test(named) ? ['unit/sources.test.mjs', named.split('/').pop().replace(/\.json$/, '')] : split(named)
      if (file !== 'browser.rs') files.set(file, [...(files.get(file) ?? []), name])
    }
    held.set(row, [...files])
  }
  return held
}

function split(named) {
  const at = named.indexOf(': ')
  return [named.slice(0, at), named.slice(at + 2)]
}

async function allEntries() {
  const all = []
  for (const name of readdirSync(import.meta.dirname).filter((name) => /^[a-z]\.mjs$/.test(name)).sort()) {
    for (const [row, ...edits] of (await import('./' + name)).default) {
      if (!rows.has(row)) throw new Error(`${name}: ${row} is not a row that is held`)
      all.push({ row, edits })
    }
  }
  return all
}

// Tracked and new files, with their times, so that only what changed is compiled again.
function copyTree() {
  mkdirSync(TREE, { recursive: true })
  for (const name of readdirSync(TREE)) if (name !== 'target') rmSync(join(TREE, name), { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  const packed = execFileSync('tar', ['-c', '--null', '-T', '-'], { cwd: ROOT, input: files, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', TREE], { input: packed })
  symlinkSync(join(ROOT, 'tests/node_modules'), join(TREE, 'tests/node_modules'))
}

/** A file of this tree with something else in the place of a text, which has to be there once. */
function cut(tree, file, text, instead) {
  const parts = readFileSync(join(tree, file), 'utf8').split(text)
  if (parts.length !== 2) throw new Error(`${file} has this ${parts.length - 1} times, must be once: ${text}`)
  return parts.join(instead)
}

// Also where only unit tests are played: what does not build proves nothing.
function build(edits) {
  const touchesCore = edits.some(([file]) => /^(src\/|Cargo|build\.sh)/.test(file))
  isForeignCore ||= touchesCore
  if (touchesCore) must('cargo', ['test', '--no-run'])
  if (isForeignCore) must('./build.sh', ['dist'])
  else must('node', ['www/build.mjs', ...MODULES])
  isForeignCore = touchesCore
}

/** Plays these tests of a file; tells whether one of them fails. */
function fails([file, names]) {
  const ran = file.endsWith('.rs')
    ? run('cargo', ['test', '--test', file.replace(/\.rs$/, ''), '--', ...names])
    : run('node', ['--test', '--test-reporter=tap', ...names.map((name) => `--test-name-pattern=${pattern(name)}`), `tests/${file}`])
  // A page that hangs where nothing protects it takes its tests with it.
  if (ran.error?.code === 'ETIMEDOUT') return true
  const played = file.endsWith('.rs') ? /test result: (ok|FAILED)/.test(ran.stdout) : /^# (pass|fail|cancelled) [1-9]/m.test(ran.stdout)
  if (!played) throw new Error(`no test of ${file} ran`)
  return ran.status !== 0
}

// A name as it stands in the source, where a story runs over several cases.
function pattern(name) {
  const parts = name.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/)
  return parts.map((part) => part.replace(/[$.*+?^{}()|[\]\\/]/g, '\\$&')).join('.*')
}

function run(program, args) {
  return spawnSync(program, args, { cwd: TREE, env: { ...process.env, ...HEAVIER, CARGO_TARGET_DIR: join(TREE, 'target') }, encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 600_000 })
}

function must(program, args) {
  const { status, stdout, stderr } = run(program, args)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${(stdout + stderr).slice(-600)}`)
}
