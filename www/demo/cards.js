// The two lists: decisions as the bridge tells them, and events as the collector received them.

import { clock, duration, el } from './dom.js'

/** How a verdict looks: good, waiting, stopped on purpose, or a mistake. */
export const TONES = { delivered: 'ok', pending: 'wait', invalid: 'bad', expired: 'bad', 'no-consent': 'stop' }
export const tone = (verdict) => TONES[verdict] ?? 'stop'

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

function why({ left, verdict, reason }) {
  if (left) return 'Pending when the page was left. The next page takes it over.'
  if (!reason) return ''
  return verdict === 'delivered' ? `To ${reason}.` : `Why: ${reason}`
}

function steps(decision) {
  const list = decision.steps ?? []
  // A decision taken over from an earlier page was made long before; its steps here begin with this page.
  const start = list[0]?.at ?? decision.decidedAt
  const rows = list.map(({ at, step }) =>
    el('li', {}, el('span', { class: 'when' }, `+${duration(at - start)}`), el('span', {}, String(step))))
  return el('ol', { class: 'steps' }, ...rows)
}

/** What a decision card depends on. */
export const decisionSign = (it) => [it.verdict, it.left, it.reason, it.steps?.length, it.steps?.at(-1)?.step].join('|')

/** An event: its name, both of its times, its ids and its properties. */
export function eventCard(event) {
  const decided = Date.parse(event.timestamp)
  const late = event.receivedAt - decided
  const copies = event.copies > 1 ? `${event.copies} copies, one messageId: one event` : 'received once'
  const rows = Object.entries(event.properties ?? {}).flatMap(([name, value]) => [
    el('dt', {}, name),
    el('dd', {}, typeof value === 'string' ? value : JSON.stringify(value)),
  ])
  return el('li', { class: 'card', 'data-tone': 'ok' },
    el('div', { class: 'card-head' },
      el('strong', {}, String(event.event)),
      el('span', { class: 'tag', 'data-tone': event.copies > 1 ? 'stop' : 'ok' }, copies)),
    el('dl', { class: 'properties' }, ...rows),
    el('dl', { class: 'times' },
      el('dt', {}, 'timestamp'), el('dd', {}, `${clock(decided)}, decided`),
      el('dt', {}, 'received'), el('dd', {}, `${clock(event.receivedAt)}, ${duration(late)} later`),
      el('dt', {}, 'sent from'), el('dd', {}, String(event.context?.page?.search ?? '') || 'no query')),
    el('dl', { class: 'ids' },
      el('dt', {}, 'messageId'), el('dd', {}, String(event.messageId)),
      el('dt', {}, 'anonymousId'), el('dd', {}, String(event.anonymousId))))
}

/** What an event card depends on. */
export const eventSign = (it) => String(it.copies)
