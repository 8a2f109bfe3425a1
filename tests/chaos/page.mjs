// A page of a visit as HTML: the site with our script, or the site with the recipe.

import { readFileSync } from 'node:fs'
import { VISITOR, html, init, js, script, snippetCode } from '../e2e/pages.mjs'

/** How many times as fast the clocks of the pages run. */
export const HASTE = 5

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8')
const visitor = read('visitor.js')
const recipe = read('../bench/recipe.js')

const CDN = { blocked: '/blocked', hang: '/hang', settings: '/settings-fail', old: '/old' }

/** `rival` is "ours" or "recipe", `epoch` the time the visit began. */
export function pageHtml(visit, page, { rival, origin, epoch, amnesia }) {
  const { kind, ms } = page.analytics
  const isRecipe = rival === 'recipe'
  const late = Math.round(ms / HASTE)
  const cdn = '/cdn' + (kind === 'late' ? `/delay-${late}` : (CDN[kind] ?? ''))
  const load = kind === 'absent' ? '' : snippetCode(origin, { cdn })
  // The recipe knows no consent: there the site has to keep analytics back.
  const waits = visit.analyticsWaits || (visit.asks && isRecipe)
  const analytics = kind === 'added' ? `setTimeout(()=>{${load}},${ms})` : load
  const chaos = {
    haste: HASTE, epoch, clock: page.clock, storage: page.storage, recipe: isRecipe,
    decisions: visit.decisions, actions: page.actions, id: page.id,
  }
  const parts = [script(`window.chaos=${js(chaos)};${amnesia ? 'localStorage.clear();' : ''}`), script(visitor)]
  if (visit.cookie) parts.push(script(`document.cookie='optimizelyEndUserId=${VISITOR}.${visit.number}; path=/'`))
  parts.push(script(waits ? `chaos.onConsent=()=>{chaos.onConsent=null;${analytics}}` : analytics))
  if (isRecipe) parts.push(script(recipe))
  else parts.push(init({ dedupe: visit.dedupe, requireConsent: visit.asks }), tag(page.script))
  parts.push(script('chaos.start()'))
  return html(...parts)
}

function tag(how) {
  if (how === 'absent') return ''
  return `<script async src="/${how === 'late' ? 'slow' : 'dist'}/decision-bridge.js"></script>`
}
