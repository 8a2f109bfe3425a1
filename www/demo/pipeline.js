// The pipeline: five stations on a rail, and each decision a puck that walks from one to the next. The
// bridge takes milliseconds; the pucks walk slowly enough to be followed.

import { el, mark, say } from './dom.js'
import { STATIONS } from './model.js'
import { labelOf } from './tools.js'

const HOP_MS = 330
// The state that matters most comes first.
const TONES = { failed: 'bad', missing: 'wait', stub: 'wait', ready: 'ok' }
const calm = matchMedia('(prefers-reduced-motion: reduce)')

export class Pipeline {
  constructor(rail, pucks) {
    this.rail = rail
    this.layer = pucks
    this.nodes = STATIONS.map((name) => rail.querySelector(`[data-station="${name}"]`))
    this.pucks = new Map()
    new ResizeObserver(() => {
      // What sticks below the rail has to know how high it is.
      document.documentElement.style.setProperty('--rail', `${rail.offsetHeight}px`)
      this.settle()
    }).observe(rail)
  }

  clear() {
    for (const puck of this.pucks.values()) clearTimeout(puck.timer)
    this.pucks.clear()
    this.layer.replaceChildren()
  }

  /** Shows the stations and sends the pucks on their way. */
  show(view) {
    this.showStations(view)
    for (const decision of view.decisions) this.move(decision)
  }

  move(decision) {
    let puck = this.pucks.get(decision.puck)
    if (!puck) {
      const label = initials(decision.variationName ?? decision.variationKey ?? decision.variationId)
      const node = el('span', { class: 'puck' }, label)
      puck = { node, at: 0, goal: 0, timer: 0 }
      this.pucks.set(decision.puck, puck)
      this.layer.append(node)
      this.settle()
    }
    puck.goal = Math.max(puck.goal, STATIONS.indexOf(decision.station))
    puck.end = decision.dropped ? 'dropped' : decision.arrived ? 'arrived' : 'moving'
    puck.waits = decision.verdict === 'pending'
    this.walk(puck)
  }

  /** One hop, then the next, until the goal. */
  walk(puck) {
    if (puck.timer) return
    const there = puck.at >= puck.goal
    mark(puck.node, 'state', !there ? 'moving' : puck.end === 'moving' && puck.waits ? 'waits' : puck.end)
    if (there) return
    puck.at = calm.matches ? puck.goal : puck.at + 1
    this.settle()
    const pause = calm.matches ? 0 : HOP_MS
    puck.timer = setTimeout(() => {
      puck.timer = 0
      this.walk(puck)
    }, pause)
  }

  /** Puts each puck above its station; several at one station stand side by side. */
  settle() {
    const origin = this.rail.getBoundingClientRect().left
    const centres = this.nodes.map((node) => {
      const box = node.querySelector('.node').getBoundingClientRect()
      return box.left + box.width / 2 - origin
    })
    const room = Math.max(64, this.rail.clientWidth / STATIONS.length - 40)
    const groups = STATIONS.map(() => [])
    for (const puck of this.pucks.values()) groups[puck.at].push(puck)
    for (const [at, group] of groups.entries()) {
      const step = Math.min(32, room / Math.max(1, group.length))
      for (const [place, puck] of group.entries()) {
        const x = centres[at] + (place - (group.length - 1) / 2) * step
        puck.node.style.transform = `translate(${x}px, 0)`
      }
    }
  }

  showStations(view) {
    const { report, tools, counts } = view
    // A decision taken over by the next page is told twice, and is one.
    const came = new Set(view.decisions.map((it) => it.puck)).size
    const passed = came - view.dropped.length
    // Where nothing has to be delivered the bridge does not look for destinations.
    const looked = (report?.destinations ?? []).filter((it) => it.state !== 'missing' || typeof it.waitedMs === 'number')
    const states = Object.keys(TONES).filter((state) => looked.some((it) => it.state === state))
    const waited = looked.filter((it) => it.state !== 'ready').map((it) => it.waitedMs ?? 0)
    const why = view.dropped.at(-1)?.verdict
    const unconfirmed = view.waiting.some((it) => it.station === 'destination')
    this.named(0, 'Source', tools.sources)
    this.named(3, 'Destination', tools.destinations)
    this.station(0, came, came ? 'decided' : 'nothing decided yet', report && tools.sources.length ? 'ok' : '')
    this.station(1, passed, why ? `${view.dropped.length} stopped: ${why}` : 'passed', why ? 'stop' : passed ? 'ok' : '')
    this.station(2, view.waiting.length, outboxSays(view, waited), view.waiting.length ? 'wait' : passed ? 'ok' : '')
    const found = states.length > 1 ? states.map((state) => `${looked.filter((it) => it.state === state).length} ${state}`).join(', ') : (states[0] ?? '')
    this.station(3, counts.delivered, unconfirmed ? `${found}, unconfirmed` : found || 'not needed yet', TONES[states[0]] ?? '')
    const repeats = view.copies - view.events.length
    const arrived = repeats ? `${repeats} repeat, same id` : 'arrived'
    this.station(4, view.events.length, arrived, view.events.length ? 'ok' : '')
  }

  /** A station is called after what is on; several are counted, and named where there is room. */
  named(at, what, kinds) {
    const names = kinds.map(labelOf)
    const one = names.length === 1
    say(this.nodes[at].querySelector('.label'), one ? names[0] : names.length ? `${names.length} ${what.toLowerCase()}s` : `No ${what.toLowerCase()}`)
    say(this.nodes[at].querySelector('.names'), one ? '' : names.join(', '))
  }

  station(at, count, detail, tone) {
    const node = this.nodes[at]
    say(node.querySelector('.count'), String(count))
    say(node.querySelector('.detail'), detail)
    mark(node, 'tone', tone)
  }
}

function outboxSays(view, waited) {
  if (!view.waiting.length) return 'nothing waits'
  return waited.length ? `waits ${(Math.max(...waited) / 1000).toFixed(1)} s` : 'waits'
}

/** `Warm light` is `WL`: enough to tell two variations apart. */
function initials(name) {
  const words = String(name ?? '?').split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join('') || '?'
}
