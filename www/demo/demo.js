// The dashboard: it brings together the stage (the customer's page), the collector's stream and the
// stories, and shows what is known. All that is shown comes from `diagnose()` and from `/events`.

import { decisionCard, decisionSign, eventCard, eventSign, tone } from './cards.js'
import { byId, el, mark, renew, say } from './dom.js'
import { Collector, VERDICTS, view } from './model.js'
import { Pipeline } from './pipeline.js'
import { Stage } from './stage.js'
import { OWN_CHOICE, STORIES } from './stories.js'
import { Story } from './story.js'
import { DESTINATIONS, snippet, SOURCES } from './tools.js'

const collector = new Collector()
const pipeline = new Pipeline(byId('rail'), byId('pucks'))
const stage = new Stage(byId('frame'), later)
const known = () => view(stage.pages, collector.events, stage.tools)
const story = new Story({ stage, collector, view: known, tell })
let told = null
let planned = false
let visitor = stage.pages

// Many reasons to show anew can come at once; once per frame is enough. A timer, and not an
// animation frame, so that a tab in the background is up to date too.
function later() {
  if (planned) return
  planned = true
  setTimeout(() => {
    planned = false
    show()
  }, 16)
}

function show() {
  const now = known()
  if (visitor !== stage.pages) {
    visitor = stage.pages
    pipeline.clear()
  }
  pipeline.show(now)
  showChips(now)
  showCounts(now)
  showFrame(now)
  showSwitches(now)
  renew(byId('decisions'), [...now.decisions].reverse(), { key: (it) => it.key, sign: decisionSign, make: decisionCard })
  renew(byId('events'), [...now.events].reverse(), { key: (it) => it.key, sign: eventSign, make: eventCard })
  byId('no-decisions').hidden = now.decisions.length > 0
  byId('no-events').hidden = now.events.length > 0
  // A report that is being read or selected is not pulled away.
  if (byId('raw').open && getSelection().isCollapsed) say(byId('report'), JSON.stringify(now.report, null, 2))
  showNotes(now)
  if (told) showStory()
}

function showChips({ report, page }) {
  const running = report?.state === 'running'
  const text = report ? `WebAssembly ${report.state}, ${report.version}` : 'Decision Bridge is loading'
  say(byId('bridge-chip'), page?.trouble ?? text)
  mark(byId('bridge-chip'), 'tone', page?.trouble ? 'bad' : running ? 'ok' : 'wait')
}

function showCounts({ counts }) {
  const list = byId('counts')
  if (!list.children.length) {
    for (const name of VERDICTS) list.append(el('li', { 'data-verdict': name }, el('b', {}, '0'), el('span', {}, name)))
  }
  for (const item of list.children) {
    const count = counts[item.dataset.verdict]
    say(item.firstChild, String(count))
    mark(item, 'tone', count ? tone(item.dataset.verdict) : '')
  }
}

function showFrame({ page }) {
  const url = page ? new URL(page.url) : null
  say(byId('address'), url ? `shop.example/${url.search}` : 'shop.example')
  say(byId('page-number'), page ? `page ${page.number}` : '')
}

/** The switches stand as the tools do: a story brings its own. */
function showSwitches({ tools }) {
  for (const box of document.querySelectorAll('.switches input')) {
    const on = tools[box.name].includes(box.value)
    if (box.checked !== on) box.checked = on
  }
  say(byId('snippet'), snippet(tools))
}

/** Warnings and errors of the report, and who is who. */
function showNotes({ report }) {
  const notes = [
    ...(report?.errors ?? []).map((it) => ['bad', it]),
    ...(report?.warnings ?? []).map((it) => ['wait', it]),
  ]
  renew(byId('notes'), notes, {
    key: ([, note]) => note.message,
    sign: ([, note]) => String(note.times),
    make: ([kind, note]) => el('li', { 'data-tone': kind }, note.message + (note.times > 1 ? ` (${note.times} times)` : '')),
  })
  say(byId('visitor-id'), report?.ids?.visitorId ?? 'none yet')
  say(byId('anonymous-id'), report?.ids?.anonymousId ?? 'none yet')
}

function tell(news) {
  told = news
  later()
}

function showStory() {
  const { story: playing, say: line, over } = told
  say(byId('story-title'), playing.title)
  say(byId('story-line'), line)
  const claims = over ? told.claims : story.check(playing, false)
  const signs = { true: '✓', false: '✕', open: '○' }
  renew(byId('claims'), claims, {
    key: (it) => it.text,
    sign: (it) => it.state,
    make: (it) => el('li', { 'data-claim': it.state }, el('span', { class: 'sign' }, signs[it.state]), it.text),
  })
  mark(byId('story'), 'state', !over ? 'plays' : claims.every((it) => it.state === 'true') ? 'kept' : 'broken')
  for (const button of byId('stories').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset.story === playing.id))
  }
}

function listStories() {
  for (const each of STORIES) {
    const button = el('button', { type: 'button', 'data-story': each.id, 'aria-pressed': 'false' },
      el('strong', {}, each.title), el('span', {}, each.text))
    button.addEventListener('click', () => {
      story.play(each)
      // On a phone the stage lies elsewhere; bring it in sight.
      if (matchMedia('(max-width: 759px)').matches) byId('story').scrollIntoView({ block: 'start' })
    })
    byId('stories').append(el('li', {}, button))
  }
}

function listSwitches() {
  for (const [name, tools] of Object.entries({ sources: SOURCES, destinations: DESTINATIONS })) {
    for (const { kind, label, standIn } of tools) {
      const box = el('input', { type: 'checkbox', name, value: kind })
      box.addEventListener('change', () => choose(name, tools))
      byId(name).append(el('li', {}, el('label', {}, box, el('span', {}, label), standIn ? el('small', {}, 'stand-in') : null)))
    }
  }
}

/** The visitor of this page chose: the same visitor sees a fresh page that has these tools. */
function choose(name, tools) {
  story.stop()
  const chosen = new Set([...byId(name).querySelectorAll('input:checked')].map((box) => box.value))
  stage.tools = { ...stage.tools, [name]: tools.map(({ kind }) => kind).filter((kind) => chosen.has(kind)) }
  tell({ story: OWN_CHOICE, say: 'A fresh page, with what is on. What this visitor was told of is not sent again.', over: false })
  stage.open('test=hero')
}

function listen() {
  const stream = new EventSource('/events')
  const chip = byId('collector-chip')
  stream.addEventListener('open', () => {
    say(chip, 'Collector listening')
    mark(chip, 'tone', 'ok')
  })
  stream.addEventListener('error', () => {
    say(chip, 'Collector not reached, trying again')
    mark(chip, 'tone', 'bad')
  })
  stream.addEventListener('message', ({ data }) => {
    if (collector.take(JSON.parse(data))) later()
  })
  return new Promise((open) => stream.addEventListener('open', open, { once: true }))
}

function byHand(id, action) {
  byId(id).addEventListener('click', () => {
    // A story that is over stays on show; one that plays must not act on a page that is not its own.
    if (told && !told.over && told.story !== OWN_CHOICE) {
      story.stop()
      tell({ ...told, say: 'You took over.', over: false })
    }
    action()
  })
}

async function copySnippet() {
  const button = byId('copy')
  try {
    await navigator.clipboard.writeText(byId('snippet').textContent)
    say(button, 'Copied')
  } catch {
    say(button, 'Select and copy by hand')
  }
  setTimeout(() => say(button, 'Copy'), 2000)
}

listStories()
listSwitches()
byHand('reload', () => stage.reload())
byHand('next', () => stage.open('page=bag&test=none'))
byHand('home', () => stage.open('test=hero'))
byHand('renew', async () => {
  collector.clear([known().report?.ids?.anonymousId])
  await stage.renew()
  stage.open('test=hero')
})
byId('copy').addEventListener('click', copySnippet)
byId('raw').addEventListener('toggle', later)
show()
// The first story plays by itself, but not before its event can be seen to arrive.
await Promise.race([listen(), new Promise((soon) => setTimeout(soon, 1500))])
story.play(STORIES[0])
