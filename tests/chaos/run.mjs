// The chaos simulation: many visits, each planned by a seed, in real pages with the real analytics.js
// and with everything going wrong that does; once with our built file, once with the published
// recipe. Ends with a table, and with the seeds of what the judge found.
//
//   node tests/chaos/run.mjs [--visits 300] [--seed 1] [--visit K] [--recipe 100] [--tabs 6] [--sabotage forget|rename|amnesia]
//
// `--visit K` plays that one visit of the seed alone, and shows what happened. `--sabotage` breaks
// something on purpose: then the run is in order when the judge notices.

import { parseArgs } from 'node:util'
import { LEAN, start } from '../chromium.mjs'
import { table } from '../../www/build/sizes.mjs'
import { judge, settled } from './judge.mjs'
import { pagesOf, plan } from './plan.mjs'
import { SABOTAGE, play } from './visit.mjs'

const SHOWN = 10

const options = read()
const browser = await start(LEAN)
const rows = []
const failures = []
try {
  if (options.visit === undefined) {
    await all('ours', options.visits)
    await all('recipe', options.recipe)
    show()
  } else await one(options.visit)
} finally {
  await browser.close()
}
process.exitCode = conclude()

function read() {
  const text = { type: 'string' }
  const { values } = parseArgs({ options: { visits: text, seed: text, visit: text, recipe: text, tabs: text, sabotage: text, rival: text } })
  const number = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) stop(`--${name} is ${values[name]}, must be a whole number`)
    return value
  }
  if (values.sabotage !== undefined && !SABOTAGE[values.sabotage]) stop(`--sabotage is ${values.sabotage}, must be ${Object.keys(SABOTAGE).join(' or ')}`)
  const visits = number('visits', 300)
  return {
    visits,
    seed: number('seed', 1),
    visit: number('visit'),
    recipe: number('recipe', values.sabotage ? 0 : Math.min(visits, 100)),
    at_once: number('tabs', 6),
    sabotage: values.sabotage,
    rival: values.rival ?? 'ours',
  }
}

function stop(text) {
  console.error(`chaos: ${text}`)
  process.exit(2)
}

async function playAndJudge(rival, number) {
  const visit = plan(options.seed, number)
  const seen = await play(browser, visit, { rival, settled: settled(visit, rival), sabotage: options.sabotage })
  return { visit, seen, told: judge(visit, seen, rival) }
}

/** The first visits of the seed, some at a time. */
async function all(rival, count) {
  const row = { rival, visits: 0, pages: 0, decisions: 0, due: 0, accepted: 0, lost: 0, doubled: 0, unasked: 0, excused: {} }
  rows.push(row)
  let next = 0
  let shown = Date.now()
  const began = Date.now()
  await Promise.all(Array.from({ length: options.at_once }, async () => {
    while (next < count) {
      const number = next++
      const { visit, seen, told } = await playAndJudge(rival, number)
      row.visits += 1
      row.pages += visit.tabs.flat().length + (visit.home ? 1 : 0)
      row.decisions += visit.decisions.length
      for (const name of ['due', 'accepted', 'lost', 'doubled', 'unasked']) row[name] += told[name]
      for (const [why, times] of Object.entries(told.excused)) row.excused[why] = (row.excused[why] ?? 0) + times
      if (rival === 'ours' && told.findings.length) failures.push({ number, findings: told.findings, tale: tale(visit, seen) })
      if (Date.now() - shown > 5000) {
        shown = Date.now()
        console.log(`${rival}: ${row.visits} of ${count} visits, ${Math.round((Date.now() - began) / 1000)} s`)
      }
    }
  }))
}

/** One visit alone, with all that can be said about it. */
async function one(number) {
  const { visit, seen, told } = await playAndJudge(options.rival, number)
  console.log(tale(visit, seen))
  console.log(JSON.stringify(told, null, 1))
  if (told.findings.length) failures.push({ number, findings: told.findings })
}

/** What was planned and what was seen, in lines: what hangs on timing may not happen a second time. */
function tale(visit, seen) {
  const lines = [`dedupe ${visit.dedupe}, visitor ${visit.cookie ? 'known' : 'unknown'} to Optimizely, consent ${visit.asks ? 'is asked for' : 'is not asked for'}`]
  for (const page of pagesOf(visit)) {
    const { kind, ms } = page.analytics
    lines.push(`page ${page.id}, tab ${page.tab}, ${page.path}: analytics ${kind} ${ms}, storage ${page.storage}, script ${page.script}, collector ${page.faults.join() || 'fine'}`)
    lines.push(`  ${page.actions.map((action) => action.join(' ')).join(' · ')}`)
  }
  for (const [page, report] of seen.reports) {
    lines.push(`page ${page}: ${report.state}, storage warned: ${report.warnings?.map(({ message }) => message).join('; ')}`)
    for (const { campaignName, verdict, reason, steps } of report.decisions ?? []) {
      lines.push(`  ${campaignName} ${verdict} ${reason ?? ''}: ${steps.map(({ step, at }) => `${at % 1e6} ${step}`).join(', ')}`)
    }
  }
  for (const { event, messageId, properties, context, timestamp } of seen.events) {
    lines.push(`accepted: ${event} ${messageId} ${properties?.campaignName} of ${context?.page?.path} at ${Date.parse(timestamp) % 1e6}`)
  }
  return lines.join('\n')
}

function show() {
  const columns = ['visits', 'pages', 'decisions', 'due', 'accepted', 'lost', 'doubled', 'unasked']
  console.log(table([['', ...columns], ...rows.filter(({ visits }) => visits).map((row) => [row.rival, ...columns.map((name) => row[name])])]))
  for (const { rival, excused } of rows) for (const [why, times] of Object.entries(excused)) console.log(`  ${rival}: ${times} excused: ${why}`)
}

function conclude() {
  for (const { number, findings, tale: told } of failures.slice(0, SHOWN)) {
    console.log(`\nvisit ${number} of seed ${options.seed}: ./build.sh chaos --seed ${options.seed} --visit ${number}`)
    for (const text of findings) console.log(`  ${text}`)
    if (told && !options.sabotage) console.log(told)
  }
  if (failures.length > SHOWN) console.log(`and ${failures.length - SHOWN} more visits`)
  if (!options.sabotage) return failures.length ? 1 : 0
  console.log(failures.length ? `The judge noticed: ${SABOTAGE[options.sabotage]}` : `The judge did NOT notice: ${SABOTAGE[options.sabotage]}`)
  return failures.length ? 0 : 1
}
