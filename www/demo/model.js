// The model: what the dashboard knows, put together from the reports of all pages of one visitor and
// from the events at the collector. It touches no element.

import { eventOf } from './tools.js'

/** The verdicts, in the order they are shown. */
export const VERDICTS = [
  'delivered',
  'pending',
  'duplicate',
  'not-an-exposure',
  'holdback',
  'preview',
  'qa',
  'no-consent',
  'invalid',
  'expired',
]

/** Where a decision can stand, in walking order. */
export const STATIONS = ['source', 'gates', 'outbox', 'destination', 'collector']

/** One exposure per destination and idempotency key; repeats are counted, as the tools count them as one. */
export class Collector {
  constructor() {
    this.former = new Set()
    this.arrivals = 0
    this.clear()
  }

  /** A new visitor: what still arrives of the one before is not theirs. */
  clear(visitors = []) {
    for (const event of this.events ?? []) this.former.add(event.visitor)
    for (const id of visitors) if (id) this.former.add(id)
    this.events = []
    this.since = Date.now()
  }

  take(arrival) {
    const event = eventOf(arrival)
    if (!event || this.former.has(event.visitor) || Date.parse(event.timestamp) < this.since) return false
    // Without a key nobody could tell a repeat: each counts.
    const key = `${event.destination}/${event.id ?? ++this.arrivals}`
    const known = this.events.find((it) => it.key === key)
    if (known) known.copies += 1
    else this.events.push({ ...event, key, copies: 1 })
    return true
  }
}

/** Everything that is shown, from the pages of the stage, the events of the collector and the tools that are on. */
export function view(pages, events, tools) {
  const decisions = pages.flatMap((page) => read(page, events))
  const counts = Object.fromEntries(VERDICTS.map((name) => [name, 0]))
  for (const page of pages) {
    for (const [name, count] of Object.entries(page.report?.counts ?? {})) {
      // What was pending when its page was left is counted by the page that took it over.
      if (name in counts && !(page.gone && name === 'pending')) counts[name] += count
    }
  }
  const page = pages.at(-1)
  const report = page?.report ?? null
  const segment = report?.destinations?.find((it) => it.name === 'segment') ?? report?.destinations?.[0] ?? null
  const at = (station) => decisions.filter((it) => it.station === station && !it.dropped && !it.left)
  return {
    tools,
    pages,
    page,
    report,
    segment,
    decisions,
    events,
    counts,
    waiting: [...at('outbox'), ...at('destination').filter((it) => it.verdict === 'pending')],
    dropped: decisions.filter((it) => it.dropped),
    copies: events.reduce((sum, event) => sum + event.copies, 0),
  }
}

function read(page, events) {
  return (page.report?.decisions ?? []).map((told, index) => {
    const dropped = !['delivered', 'pending'].includes(told.verdict)
    const arrived = dropped ? [] : events.filter((it) => tells(it, told))
    const places = page.report.destinations?.length ?? 1
    // Pending somewhere, it is under way until it has arrived everywhere.
    const there = arrived.length > 0 && (told.verdict !== 'pending' || arrived.length >= places)
    const identity = [told.source, told.experimentId ?? told.experimentKey, told.variationId ?? told.variationKey]
    return {
      ...told,
      page: page.number,
      dropped,
      arrived: there,
      places: [...new Set(arrived.map((it) => it.destination))],
      // On the way from one page to the next: it was pending when its page was left.
      left: page.gone && told.verdict === 'pending',
      station: station(told, dropped, there),
      key: `${page.number}/${index}`,
      // The same decision taken over by the next page is the same thing on the move.
      puck: dropped ? `${page.number}/${index}` : [...identity, told.decidedAt].join('/'),
    }
  })
}

/** Whether an event is about the experiment of a decision, in whatever words its destination has for that. */
export function names(event, decision) {
  const values = JSON.stringify(Object.values(event.properties))
  return [decision.experimentId, decision.experimentKey, decision.experimentName, decision.flagKey].some((id) => id && values.includes(id))
}

/** The event of a decision has the time the decision was made, where the destination is told a time. */
function tells(event, told) {
  return names(event, told) && (!event.timestamp || Math.abs(Date.parse(event.timestamp) - told.decidedAt) <= 1)
}

function station(told, dropped, there) {
  if (there) return 'collector'
  if (told.verdict === 'delivered') return 'destination'
  if (told.verdict === 'expired') return 'outbox'
  if (dropped) return 'gates'
  const last = told.steps?.at(-1)?.step ?? ''
  return /^handed/.test(last) ? 'destination' : 'outbox'
}
