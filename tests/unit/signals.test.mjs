// Signals of preview and QA: what counts, and what only looks like one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load, page, property } from './page.mjs'

const { isForcedTracking, look, preview, qa } = await load('signals.js')
const { cookie, pairs } = await load('read.js')

/** What a page shows by its query and its cookies; what it has in sessionStorage is read by name. */
const seen = ({ query = '', cookies = '' }) => [pairs(query, '&'), pairs(cookies, ';')]
const entryOf = ({ session = {} }) => (name) => session[name]

function shows(page, signal) {
  assert.equal(preview(seen(page), entryOf(page)), signal, JSON.stringify(page))
}

test('Optimizely previews by parameter', () => {
  for (const name of [
    'optimizely_token', 'optimizely_x', 'optimizely_x_audiences', 'optimizely_preview_layer_ids', 'optimizely_preview_mode_CAMPAIGN',
    'optimizely_embed_editor', 'optimizely_p13n', 'optimizely_editor', 'optimizely_show_preview', 'optimizely_project_id',
    'optimizely_experiment_id', 'optimizely_variation_id',
  ]) {
    shows({ query: `${name}=123` }, `${name} (query)`)
    shows({ query: `utm_source=x&${name}=true&b=1` }, `${name} (query)`)
    // They stand in ordinary links with these values.
    for (const value of ['', '=', '=false', '=0']) shows({ query: name + value }, '')
    shows({ query: `not_${name}=1&${name}s=1&a=${name}` }, '')
    shows({ cookies: `${name}=1` }, '')
  }
})

test("Optimizely previews by cookie and by the tab's storage", () => {
  shows({ cookies: 'a=1; optimizelyPreview={"x":1}' }, 'optimizelyPreview (cookie)')
  shows({ cookies: 'optimizelyToken=abc' }, 'optimizelyToken (cookie)')
  shows({ session: { optimizely_embed_editor: 'true', 'amp-preview-mode': '' } }, 'optimizely_embed_editor (sessionStorage)')
  shows({ cookies: 'optimizelyPreview=; optimizelyEndUserId=oeu1; optimizelyOptOut=false' }, '')
  shows({ session: { optimizely_embed_editor: 'false' } }, '')
  shows({ query: 'optimizelyPreview=1' }, '')
})

test('the other tools preview too', () => {
  for (const [page, signal] of [
    [{ query: '_vis_opt_preview_combination=2' }, '_vis_opt_preview_combination (query)'],
    [{ query: '_vis_opt_preview_combination' }, '_vis_opt_preview_combination (query)'],
    [{ query: '_vis_preview_data=x' }, '_vis_preview_data (query)'],
    [{ cookies: 'debug_vis_preview_12=1' }, 'debug_vis_preview_12 (cookie)'],
    [{ query: 'ab_project=preview' }, 'ab_project (query)'],
    [{ query: 'abtasty_qa_assistant=true' }, 'abtasty_qa_assistant (query)'],
    [{ query: 'abtasty_qa_assistant_token=t' }, 'abtasty_qa_assistant_token (query)'],
    [{ query: 'convert_action=convert_vpreview' }, 'convert_action (query)'],
    [{ query: 'kameleoon-simulation=1' }, 'kameleoon-simulation (query)'],
    [{ cookies: 'kameleoonSimulationParameters=x' }, 'kameleoonSimulationParameters (cookie)'],
    [{ query: 'at_preview_token=t' }, 'at_preview_token (query)'],
    [{ cookies: 'at_qa_mode={}' }, 'at_qa_mode (cookie)'],
    [{ query: '_wt.mode=staging' }, '_wt.mode (query)'],
    [{ query: 'PREVIEW=true' }, 'PREVIEW (query)'],
    [{ session: { 'amp-preview-mode': 'true' } }, 'amp-preview-mode (sessionStorage)'],
    [{ query: 'avsb_preview_token=t' }, 'avsb_preview_token (query)'],
  ]) {
    shows(page, signal)
  }
  for (const query of ['ab_project=1', 'convert_action=buy', '_wt.mode=normal', 'PREVIEW=1', 'preview=true', '']) shows({ query }, '')
})

test('every entry of sessionStorage that is asked for counts', () => {
  const asked = []
  preview(seen({}), (name) => void asked.push(name))
  assert.deepEqual(asked, ['optimizely_embed_editor', 'amp-preview-mode'])
  for (const name of asked) shows({ session: { [name]: '1' } }, `${name} (sessionStorage)`)
})

test("an entry of sessionStorage that is not there, or may not be read, is no signal", () => {
  for (const nothing of [undefined, null, false]) assert.equal(preview(seen({}), () => nothing), '')
})

const OWN = { params: ['qa', 'mode=test'], cookies: ['team', 'env=qa'] }

test("the site's own QA signals are names or pairs of parameters and cookies", () => {
  for (const [page, signal] of [
    [{ query: 'a=1&qa=1' }, 'qa (query)'],
    [{ query: 'qa' }, 'qa (query)'],
    [{ query: 'mode=test' }, 'mode (query)'],
    [{ cookies: 'a=1; team=yes' }, 'team (cookie)'],
    [{ cookies: 'env=qa' }, 'env (cookie)'],
    [{ query: 'mode=live&aqa=1&qa2=1' }, ''],
    [{ query: 'team=1' }, ''],
    [{ cookies: 'env=production; mode=test; qa=1' }, ''],
  ]) {
    assert.equal(qa(seen(page), OWN), signal, JSON.stringify(page))
  }
})

test('forced tracking is QA whatever its value is', () => {
  const none = { params: [], cookies: [] }
  for (const value of ['true', 'false', '1']) {
    const signal = qa(seen({ query: `optimizely_force_tracking=${value}` }), none)
    assert.equal(signal, 'optimizely_force_tracking (query)')
    assert.ok(isForcedTracking(signal))
  }
  assert.equal(qa(seen({ query: 'optimizely_force_tracking=' }), none), '')
  assert.equal(qa(seen({ cookies: 'optimizely_force_tracking=true' }), none), '')
  assert.ok(!isForcedTracking('qa (query)'))
})

test('a cookie is found by its whole name and keeps the equals signs of its value', () => {
  page({ cookie: 'xa=0; a=1=2; b; c= d; e=%7B%22x%22%3A1%7D; f=%zz; g%20h=i' })
  for (const [name, value] of [['a', '1=2'], ['b', ''], ['c', ' d'], ['missing', ''], ['e', '{"x":1}'], ['f', '%zz'], ['g h', 'i']]) {
    assert.equal(cookie(name), value)
  }
})

test('cookies that may not be read are none', () => {
  page()
  Object.defineProperty(document, 'cookie', { get() { throw new Error('sandboxed') } })
  assert.equal(cookie('a'), '')
  assert.deepEqual(look()[1], [['', '']])
})

test('the query the page was loaded with counts, also when it was tidied since', async () => {
  const before = Object.getOwnPropertyDescriptor(performance, 'getEntriesByType')
  performance.getEntriesByType = () => [{ name: 'https://shop.test/a?optimizely_x=1' }]
  try {
    page({ search: '?b=2' })
    const fresh = await load('signals.js?loaded')
    assert.equal(fresh.preview(fresh.look(), () => ''), 'optimizely_x (query)')
    assert.deepEqual(fresh.look()[0], [['optimizely_x', '1'], ['b', '2']])
  } finally {
    if (before) Object.defineProperty(performance, 'getEntriesByType', before)
    else delete performance.getEntriesByType
  }
})

test('whatever stands in the address bar and the cookies, the answer is a signal or none', () => {
  property(2000, ({ text, of }) => {
    const names = ['optimizely_x', 'qa', 'mode', 'debug_vis_preview_', 'PREVIEW', '=', '&', ';', '%', '%41', '1', 'true']
    const any = () => Array.from({ length: 6 }, () => of([of(names), text()])).join('')
    page({ search: `?${any()}`, cookie: any() })
    const shown = look()
    assert.equal(typeof preview(shown, () => of([undefined, any()])), 'string')
    assert.match(qa(shown, OWN), /^$| \((query|cookie)\)$/)
    assert.equal(typeof cookie(text()), 'string')
  })
})
