// The two lists: decisions as the bridge tells them, and events as the collector received them.

import { clock, duration, el } from './dom.js'
import { labelOf } from './tools.js'

/** How a verdict looks: good, waiting, stopped on purpose, or a mistake. */
export const TONES = { delivered: 'ok', pending: 'wait', invalid: 'bad', expired: 'bad', 'no-consent': 'stop' }
export const tone = (verdict) => TONES[verdict] ?? 'stop'

const MANY_STEPS = 8

/** A decision: what was decided, the verdict with its reason, and each step with its time. */
export function decisionCard(decision) {
  const experiment = decision.experimentName ?? decision.experimentKey ?? decision.experimentId ?? 'no experiment'
  const variation = decision.variationName ?? decision.variationKey ?? decision.variationId ?? 'no variation'
  const verdict = decision.left ? 'carried over' : decision.verdict
  const head = el('div', { class: 'card-head' },
    el('strong', {}, experiment),
    el('span', { class: 'tag', 'data-tone': decision.left ? 'wait' : tone(decision.verdict) }, verdict))
  const line = el('p', { class: 'variation' }, el('span', {}, variation), decision.isHoldback ? ' · holdback' : '')
  const from = `${decision.source} · page ${decision.page} · ${clock(decision.decidedAt)}`
  const reason = why(decision)
  const ids = [decision.campaignId, decision.experimentId, decision.variationId].filter(Boolean)
  return el('li', { class: 'card', 'data-tone': tone(decision.verdict) },
    head,
    line,
    reason ? el('p', { class: 'reason' }, reason) : null,
    el('p', { class: 'meta' }, from),
    ids.length ? el('p', { class: 'meta mono' }, ids.join(' › ')) : null,
    steps(decision))
}

function why({ left, verdict, reason, places }) {
  if (left) return 'Pending when the page was left. The next page takes it over.'
  if (!reason) return ''
  if (verdict !== 'delivered') return `Why: ${reason}`
  return `To ${(places.length ? places : [reason]).map(labelOf).join(', ')}.`
}

function steps(decision) {
  const list = decision.steps ?? []
  // A decision taken over from an earlier page was made long before; its steps here begin with this page.
  const start = list[0]?.at ?? decision.decidedAt
  const rows = list.map(({ at, step }) =>
    el('li', {}, el('span', { class: 'when' }, `+${duration(at - start)}`), el('span', {}, String(step))))
  const all = el('ol', { class: 'steps' }, ...rows)
  // One destination takes few steps; of many, who wants them opens them.
  return rows.length > MANY_STEPS ? el('details', {}, el('summary', {}, `${rows.length} steps`), all) : all
}

/** What a decision card depends on. */
export const decisionSign = (it) => [it.verdict, it.left, it.reason, it.places.length, it.steps?.length, it.steps?.at(-1)?.step].join('|')

/** An event: where it arrived, its name, both of its times, its ids and its properties. */
export function eventCard(event) {
  const decided = Date.parse(event.timestamp)
  const { search } = event.context?.page ?? {}
  const label = labelOf(event.destination)
  const added = Object.keys(event.added).length
  return el('li', { class: 'card', 'data-tone': 'ok', 'data-destination': event.destination },
    el('div', { class: 'card-head' },
      el('strong', {}, String(event.event)),
      el('span', { class: 'tag', 'data-tone': event.copies > 1 ? 'stop' : 'ok' }, label)),
    el('p', { class: 'meta' }, event.copies > 1 ? `${event.copies} copies, one id: one event` : 'received once'),
    terms('properties', Object.entries(event.properties)),
    added ? el('details', {}, el('summary', {}, `${added} more that ${label} adds`), terms('properties', Object.entries(event.added))) : null,
    terms('times', [
      ['timestamp', decided ? `${clock(decided)}, decided` : 'is told none'],
      ['received', clock(event.receivedAt) + (decided ? `, ${duration(event.receivedAt - decided)} later` : '')],
      ['sent from', search],
    ]),
    terms('ids', [[event.messageId ? 'messageId' : 'id', event.id], [event.anonymousId ? 'anonymousId' : 'visitor', event.visitor]]))
}

/** A list of names and values; without a value, without the name. */
function terms(kind, pairs) {
  const rows = pairs.filter(([, value]) => value !== undefined && value !== '').flatMap(([name, value]) => [
    el('dt', {}, name),
    el('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)),
  ])
  return el('dl', { class: kind }, ...rows)
}

/** What an event card depends on. */
export const eventSign = (it) => String(it.copies)
