// The truth of a visit: which exposures are due, from the plan and from what decisions reached us.
// This is the naive model the product is compared with; it knows nothing of how the product works.
//
// A run is one exposure: all decisions in a row of the same experiment and unit, within one scope of
// dedupe, that gave the same variation. `due` says that exactly one event has to come, else that at
// most one may.

import { pagesOf } from './plan.mjs'

/**
 * The runs of a visit, and the decisions that must never be told. `reached(page)` says whether
 * there was anybody on that page to take a decision.
 */
export function truth(visit, reached) {
  const runs = []
  const latest = new Map()
  const never = []
  // After a refusal everything begins anew.
  let era = 0

  function made(number, page) {
    const decision = visit.decisions[number]
    const key = [era, scope(visit, page, number), decision.entrance, decision.campaignId, decision.experimentId, decision.userId].join()
    let run = latest.get(key)
    if (!run || run.variationId !== decision.variationId) {
      run = { experimentId: decision.experimentId, variationId: decision.variationId, numbers: [], pages: [], due: page.storage === 'fine' }
      latest.set(key, run)
      runs.push(run)
    }
    run.numbers.push(number)
    run.pages.push(page.id)
  }

  for (const page of pagesOf(visit)) {
    const here = reached(page)
    let agreed = visit.asks ? null : true
    let held = []
    for (const [verb, what] of page.actions) {
      if (verb === 'consent') {
        agreed = what
        if (agreed) for (const number of held) here && made(number, page)
        else never.push(...held)
        if (!agreed && here) {
          // What was on its way may have gone out, or not any more.
          for (const run of runs) run.due = false
          era += 1
        }
        held = []
      } else if (verb === 'decide') {
        if (agreed === null) held.push(what)
        else if (!agreed) never.push(what)
        else if (here) made(what, page)
      }
    }
    never.push(...held)
  }
  return { runs, never }
}

/** Within what the same decision is the same. */
function scope(visit, page, number) {
  if (visit.dedupe === 'none') return `decision ${number}`
  // Where nothing can be kept, each page stands for itself.
  if (visit.dedupe === 'page' || page.storage !== 'fine') return `page ${page.id}`
  return visit.dedupe === 'tab' ? `tab ${page.tab}` : 'visit'
}
