// The model: what the dashboard knows, put together from the reports of all pages of one visitor and
// from the events at the collector. It touches no element.

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

/** One exposure per messageId; repeats are counted, as Segment counts them as one. */
export class Collector {
  constructor() {
    this.former = new Set()
    this.clear()
  }

  /** A new visitor: what still arrives of the one before is not theirs. */
  clear(anonymousIds = []) {
    for (const event of this.events ?? []) this.former.add(event.anonymousId)
    for (const id of anonymousIds) if (id) this.former.add(id)
    this.events = []
  }

  take(event) {
    if (event.type !== 'track' || this.former.has(event.anonymousId)) return false
    const known = this.events.find((it) => it.messageId === event.messageId)
    if (known) known.copies += 1
    else this.events.push({ ...event, copies: 1 })
    return true
  }
}

/** Everything that is shown, from the pages of the stage and the events of the collector. */
export function view(pages, events) {
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
    const event = dropped ? undefined : events.find((it) => tells(it, told))
    const identity = [told.source, told.experimentId ?? told.experimentKey, told.variationId ?? told.variationKey]
    return {
      ...told,
      page: page.number,
      dropped,
      event,
      // On the way from one page to the next: it was pending when its page was left.
      left: page.gone && told.verdict === 'pending',
      station: station(told, dropped, event),
      key: `${page.number}/${index}`,
      // The same decision taken over by the next page is the same thing on the move.
      puck: dropped ? `${page.number}/${index}` : [...identity, told.decidedAt].join('/'),
    }
  })
}

/** The event of a decision carries the time the decision was made. */
function tells(event, told) {
  const properties = event.properties ?? {}
  const id = properties.experimentId ?? properties.experiment_id
  const same = [told.experimentId, told.experimentKey].includes(String(id))
  return same && Math.abs(Date.parse(event.timestamp) - told.decidedAt) <= 1
}

function station(told, dropped, event) {
  if (event) return 'collector'
  if (told.verdict === 'delivered') return 'destination'
  if (told.verdict === 'expired') return 'outbox'
  if (dropped) return 'gates'
  const last = told.steps?.at(-1)?.step ?? ''
  return /^handed/.test(last) ? 'destination' : 'outbox'
}
