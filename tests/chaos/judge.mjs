// The judge: compares what the collector accepted with the truth, by idempotency key. Exactly one
// key for each exposure that is due; a loss is excused by what a report says, or because nobody
// came back.

import { pagesOf } from './plan.mjs'
import { truth } from './truth.mjs'

/** The number of the decision an event is about. */
const numberOf = (event) => Number(/^#(\d+)$/.exec(event.properties?.campaignName)?.[1] ?? NaN)

/**
 * Judges a visit: `findings` is what is wrong, in sentences; the rest is counted for the table.
 */
export function judge(visit, seen, rival) {
  const ours = rival === 'ours'
  const pages = pagesOf(visit)
  const state = (page) => seen.reports.get(page.id)?.state
  const accepted = accept(seen.events)
  const came = new Set([...accepted.values()].flat())
  // A page that was left before our script ran: nobody was there to be told. It says so itself; it may
  // have run after all between that and the end.
  const reached = (page) => !ours || !['absent', 'starting'].includes(state(page)) || decided(page).some((number) => came.has(number))
  const { runs, never } = truth(visit, reached)
  const told = { due: 0, accepted: accepted.size, lost: 0, doubled: 0, unasked: 0, excused: {}, findings: [] }
  const find = (text) => told.findings.push(text)

  const unreached = pages.filter((page) => !reached(page)).flatMap(decided)
  if (unreached.length) told.excused['left before the script ran'] = unreached.length
  for (const run of runs) {
    const name = `${run.experimentId}/${run.variationId} (decisions ${run.numbers.join()} on pages ${run.pages.join()})`
    const keys = [...accepted].filter(([, numbers]) => numbers.some((number) => run.numbers.includes(number))).map(([key]) => key)
    told.due += run.due ? 1 : 0
    if (keys.length > 1) {
      told.doubled += keys.length - 1
      find(`doubled: ${name} came under ${keys.length} keys: ${keys.join(' ')}`)
    } else if (keys.length === 0 && run.due) {
      const excuse = excuseFor(visit, seen, run, pages, rival)
      if (excuse) told.excused[excuse] = (told.excused[excuse] ?? 0) + 1
      else {
        told.lost += 1
        find(`lost: ${name} never came, and nothing says why`)
      }
    }
  }
  for (const [key, numbers] of accepted) {
    const its = runs.filter((run) => numbers.some((number) => run.numbers.includes(number)))
    if (its.filter(({ due }) => due).length > 1) find(`shared: ${key} stands for ${its.length} exposures, so all but one are lost`)
    if (its.length > 0) continue
    told.unasked += 1
    const why = numbers.some((number) => never.includes(number)) ? 'nobody agreed to' : 'nobody made'
    find(`unasked: ${key} tells decisions ${numbers.join()}, which ${why}`)
  }
  for (const event of seen.events.filter(isExposure)) {
    const { experimentId, variationId } = visit.decisions[numberOf(event)] ?? {}
    const { properties } = event
    if (properties.experimentId !== experimentId || properties.variationId !== variationId) {
      find(`wrong: ${event.messageId} says ${properties.experimentId}/${properties.variationId}, not ${experimentId}/${variationId}`)
    }
  }
  for (const text of seen.stuck) find(`stuck: ${text}`)
  if (!ours) return told
  for (const text of seen.thrown) find(`thrown into the page: ${text}`)
  for (const { type, text } of seen.said) if (type === 'error') find(`complaint: ${text}`)
  for (const page of pages.filter((page) => state(page) === 'running')) {
    const listed = new Set(seen.reports.get(page.id).decisions.map(({ campaignName }) => campaignName))
    const missing = decided(page).filter((number) => !listed.has(`#${number}`))
    if (missing.length) find(`unreported: the report of page ${page.id} does not know decisions ${missing.join()}`)
  }
  return told
}

/** Whether all that is due has come. */
export const settled = (visit, rival) => (seen) => judge(visit, seen, rival).lost === 0

const decided = (page) => page.actions.filter(([verb]) => verb === 'decide').map(([, number]) => number)

const isExposure = ({ type, event }) => type === 'track' && event === 'Experiment Viewed'

/** What was accepted: for each idempotency key the decisions it told. */
function accept(events) {
  const keys = new Map()
  for (const event of events.filter(isExposure)) keys.set(event.messageId, [...(keys.get(event.messageId) ?? []), numberOf(event)])
  return keys
}

/** Why it is in order that a due exposure did not come, if it is. */
function excuseFor(visit, seen, run, pages, rival) {
  const since = pages.findIndex(({ id }) => id === run.pages[0])
  const blind = (page) => page.storage !== 'fine' && seen.reports.get(page.id)?.warnings?.some(({ message }) => message.startsWith('storage'))
  if (pages.slice(since).some(blind)) return 'storage failed on the way, and the report warns'
  const verdicts = [...seen.reports.values()].flatMap(({ decisions = [] }) => decisions)
  const ended = (wanted) => verdicts.find(({ campaignName, verdict }) => verdict === wanted && run.numbers.includes(Number(campaignName?.slice(1))))
  const expired = ended('expired')
  if (expired) return `expired: ${expired.reason}`
  if (!visit.home) return 'nobody came back'
  // From here on it is Segment's own: it tries again, and can lose what it tries when a page is left.
  const refused = seen.refused.some((event) => run.numbers.includes(numberOf(event)))
  if (refused && (rival === 'recipe' || ended('delivered'))) return 'Segment took charge, was refused by the collector, and never came with it again'
}
