// The plan of a visit: who comes, which pages in which tabs, what is decided there, what goes wrong,
// and how each page is left. It follows from the seed and the number of the visit alone.
//
//   {seed, number, dedupe, cookie, asks, analyticsWaits, decisions, tabs: [[page]], home}
//   page      {id, tab, path, clock, analytics, storage, script, faults, actions}
//   actions   ['running'] ['ready'] ['wait', ms] ['decide', n] ['consent', granted] ['leave', how, to] ['stay']
//   decisions what each number stands for; two numbers may stand for the same decision
//
// `home` is the page on which the visit comes to rest: the visitor lives on there, or came back.
// Where it is missing nobody came back.

import { chance } from './random.mjs'

const MINUTE = 60_000

export function plan(seed, number) {
  const dice = chance(seed, number)
  const visit = {
    seed,
    number,
    dedupe: dice.weighed({ session: 60, visitor: 15, tab: 10, page: 10, none: 5 }),
    // Whether Optimizely knows the visitor; else only our own storage does.
    cookie: dice.once(0.7),
    asks: dice.once(0.25),
    decisions: [],
    tabs: [],
    home: null,
  }
  // Whether the site keeps analytics back until the visitor agrees, too.
  visit.analyticsWaits = visit.asks && dice.once(0.5)
  const storage = dice.weighed({ fine: 85, page: 10, visit: 5 })
  const broken = dice.of(['denied', 'full', 'silent'])
  // Two tabs that ask for consent, or change their mind, would leave open what came first.
  const two = !visit.asks && dice.once(0.3)
  const changes = !two && storage === 'fine' && dice.once(0.3)
  const experiments = Array.from({ length: dice.between(1, 3) }, (_, at) => ({
    entrance: dice.of(['trackLayerDecision', 'trackDecision']),
    campaignId: `${100 + at}`,
    experimentId: `${200 + at}`,
    variationId: `${300 + at}`,
    userId: dice.once(0.15) ? dice.of(['ann', 'bob']) : undefined,
  }))
  let pages = 0
  let clock = 0
  let agreed = false

  function decide(experiment) {
    const variationId = changes && dice.once(0.4) ? `${experiment.variationId}9` : experiment.variationId
    return ['decide', visit.decisions.push({ ...experiment, variationId }) - 1]
  }

  function wait() {
    return ['wait', dice.of([0, 0, 1, 50, 250, 600, 1500, dice.between(0, 3000)])]
  }

  function analytics(home) {
    const kind = dice.weighed(
      home ? { ready: 60, late: 25, added: 15 } : { ready: 34, late: 22, added: 12, blocked: 10, hang: 6, settings: 6, absent: 6, old: 4 },
    )
    return { kind, ms: dice.of([300, 1200, 2500, dice.between(3000, 9000)]) }
  }

  function faults(home) {
    const kinds = { fine: 50, refuse: 20, lose: 20, slow: 10 }
    const count = dice.once(0.55) ? dice.between(1, home ? 2 : 4) : 0
    return Array.from({ length: count }, () => dice.weighed(kinds))
  }

  function page(tab, path, home = false) {
    const it = {
      id: pages++,
      tab,
      path,
      clock,
      analytics: analytics(home),
      storage: storage === 'visit' ? broken : 'fine',
      script: !home && dice.once(0.04) ? 'absent' : dice.once(0.1) ? 'late' : 'there',
      faults: faults(home),
      actions: [],
    }
    if (home || dice.once(0.8)) it.actions.push(['running'])
    if (dice.once(0.4)) it.actions.push(['ready'])
    if (visit.asks) consent(it, home)
    const count = home ? dice.between(0, 2) : dice.weighed({ 0: 15, 1: 45, 2: 25, 3: 10, 5: 5 })
    for (let each = 0; each < count; each += 1) {
      const at = dice.between(0, it.actions.length)
      it.actions.splice(at, 0, decide(dice.of(experiments)))
      if (dice.once(0.3)) it.actions.splice(dice.between(0, it.actions.length), 0, wait())
    }
    return it
  }

  /** The consent tool speaks on each page anew, sooner or later, or the page is left before. */
  function consent(it, home) {
    if (!home && dice.once(agreed ? 0.1 : 0.25)) return
    const says = agreed ? !dice.once(0.06) : dice.once(0.75)
    if (dice.once(0.5)) it.actions.push(wait())
    it.actions.splice(dice.between(0, it.actions.length), 0, ['consent', says])
    agreed = says
  }

  function tab(number) {
    const count = dice.between(1, two ? 3 : 4)
    const list = []
    let path = `/${number}/0`
    for (let at = 0; at < count; at += 1) {
      const it = page(number, path)
      list.push(it)
      if (dice.once(0.3)) it.actions.push(wait())
      if (at === count - 1) {
        it.actions.push(dice.once(0.5) ? ['leave', 'close'] : ['stay'])
        break
      }
      const how = dice.weighed({ assign: 30, replace: 25, link: 15, reload: 30 })
      if (how !== 'reload') path = `/${number}/${at + 1}`
      it.actions.push(['leave', how, path])
      if (!two && dice.once(0.15)) clock += dice.of([2000, MINUTE, 3 * MINUTE])
    }
    visit.tabs.push(list)
  }

  tab(0)
  if (two) tab(1)
  if (dice.once(0.85)) {
    // Later than what a page that could not say goodbye is given.
    clock += dice.of([61_000, 2 * MINUTE])
    const stays = visit.tabs[0].at(-1).actions.at(-1)[0] === 'stay'
    visit.home = page(stays && dice.once(0.7) ? 0 : visit.tabs.length, '/home', true)
    visit.home.actions.push(['stay'])
  }
  if (storage === 'page') dice.of(visit.tabs.flat()).storage = broken
  // analytics.js 1.67 takes every answer for a success, a 500 too: what it loses so nobody can know.
  const all = pagesOf(visit)
  if (all.some((it) => it.analytics.kind === 'old')) {
    for (const it of all) it.faults = it.faults.map((fault) => (fault === 'refuse' ? 'lose' : fault))
  }
  return visit
}

/** All pages of a visit, in the order of a tab. */
export const pagesOf = (visit) => [...visit.tabs.flat(), ...(visit.home ? [visit.home] : [])]
