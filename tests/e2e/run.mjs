// Plays all stories: `node tests/e2e/run.mjs`. A story that fails is played once more, alone, for a busy
// machine lets browsers miss what people would not; what fails twice has failed, and what needed its second
// try is named.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'

const FOLDER = 'tests/e2e/'
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.test.mjs')).map((name) => FOLDER + name)

/** Plays with these flags; tells the names of what failed, none when all is well. */
function play(...flags) {
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', ...flags, ...files], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (text) => {
    said += text
    process.stdout.write(text)
  })
  return new Promise((done) => {
    child.on('close', (code) => {
      const failed = [...said.matchAll(/^\s*✖ (.+) \([\d.]+ms\)$/gm)].map(([, name]) => name)
      done(code === 0 ? [] : [...new Set(failed)])
      if (code !== 0 && failed.length === 0) process.exit(code)
    })
  })
}

const escaped = (name) => name.replace(/[$.*+?^{}()|[\]\\/]/g, '\\$&')

const failed = await play('--test-concurrency=2')
// So many are no accident.
if (failed.length > 12) process.exit(1)
if (failed.length > 0) {
  console.log(`\nOnce more, alone: ${failed.length}`)
  const again = await play('--test-concurrency=1', ...failed.map((name) => `--test-name-pattern=^${escaped(name)}$`))
  if (again.length > 0) process.exit(1)
  for (const name of failed) console.log(`needed a second try: ${name}`)
}
