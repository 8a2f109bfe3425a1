// The stories: what the visitor does, and what must come of it. Each begins with a new visitor.
//
//   open    the query of the customer's page (see visit.js)
//   acts    what happens then: once `when(view)` holds, `act(stage)` is done
//   tools   which tools are on; else Optimizely and Segment (see tools.js)
//   claims  what must be true in the end; they are checked on what really arrived

import { names } from './model.js'
import { EVERYTHING } from './tools.js'

const one = (view) => view.events.length === 1
const event = (view) => view.events[0]
const property = (view, name) => event(view)?.properties?.[name]
const stopped = (view, verdict) => view.counts[verdict] > 0
const waitsFor = (view, state) => view.segment?.state === state && view.waiting.length > 0
// Whether a script was blocked cannot always be seen: then its stub just stays.
const blocked = (view) => waitsFor(view, 'failed') || (waitsFor(view, 'stub') && view.segment.waitedMs > 3000)
const lateBy = (it) => (it ? it.receivedAt - Date.parse(it.timestamp) : 0)
const onPage = (view, number) => view.page?.number === number
const next = (stage) => stage.click(visibleNext(stage))

const oneEvent = ['One event arrives', one]
const oneOnly = ['Still one event, not two', one]
const named = ['Its names can be read', (view) => property(view, 'variationName') === 'Warm light']
const decisionTime = ['Its time is that of the decision', (view) => one(view) && lateBy(event(view)) > 800]

// What must hold whichever tools are on. A visitor who stays is told of once, on whatever page.
const ofTools = ({ decisions, tools }) => decisions.filter(({ source }) => tools.sources.includes(source))
const everySource = ['Every source that is on has decided', (view) =>
  view.tools.sources.every((source) => view.decisions.some((it) => it.source === source))]
const onceEverywhere = ['Every exposure once at each destination', (view) =>
  ofTools(view).length > 0 && ofTools(view).every((decision) => view.tools.destinations.every((destination) =>
    view.events.filter((it) => it.destination === destination && names(it, decision)).length === 1))]

/** What the visitor's own choice of tools must come to. */
export const OWN_CHOICE = { id: 'choice', title: 'Your choice of tools', acts: [], claims: [everySource, onceEverywhere] }

export const STORIES = [
  {
    id: 'first',
    title: 'A decision',
    text: 'Optimizely puts the visitor into “Warm light”. See the decision walk to the collector, with names.',
    open: 'test=hero',
    acts: [],
    claims: [oneEvent, named, ['It has a messageId of ours', (view) => /^db-/.test(event(view)?.messageId)]],
  },
  {
    id: 'every',
    title: 'Every tool at once',
    text: `All ${EVERYTHING.sources.length} sources and all ${EVERYTHING.destinations.length} destinations on one page. Each decision arrives once at each.`,
    tools: EVERYTHING,
    open: 'test=hero',
    acts: [],
    claims: [everySource, onceEverywhere],
  },
  {
    id: 'late',
    title: 'Analytics late',
    text: 'The tag manager adds Segment after 2 s. The decision waits. Its event carries the time of the decision.',
    open: 'test=hero&segment=late',
    acts: [{ say: 'There is no window.analytics yet. The outbox holds the decision.', when: (view) => view.events.length > 0 }],
    claims: [oneEvent, decisionTime],
  },
  {
    id: 'slow',
    title: 'Slow CDN',
    text: 'Segment’s stub is there, analytics.js comes 2 s late. Handed over at once, confirmed when it is real.',
    open: 'test=hero&segment=slow',
    acts: [{ say: 'The stub has it. It counts as delivered when analytics.js takes charge.', when: (view) => view.events.length > 0 }],
    claims: [oneEvent, decisionTime],
  },
  {
    id: 'reload',
    title: 'Reload',
    text: 'The visitor reloads, Optimizely decides again. The second decision is a duplicate.',
    open: 'test=hero',
    acts: [{ say: 'Delivered. Now the visitor reloads.', when: one, act: (stage) => stage.reload() }],
    claims: [['The second decision is a duplicate', (view) => stopped(view, 'duplicate')], oneOnly],
  },
  {
    id: 'leave',
    title: 'Left while waiting',
    text: 'analytics.js hangs and the visitor goes on to the bag. The next page delivers it, with the time of the decision.',
    open: 'test=hero&segment=hang',
    acts: [{ say: 'Handed to the stub, never confirmed. Now the visitor leaves.', when: (view) => waitsFor(view, 'stub'), act: next }],
    claims: [oneEvent, ['It was sent from the second page', (view) => one(view) && onPage(view, 2)], decisionTime],
  },
  {
    id: 'redirect',
    title: 'Redirect',
    text: 'The variation is another page. The event comes from the landing page, with the referrer of the first.',
    open: 'test=redirect',
    acts: [],
    claims: [
      ['One event arrives, from the landing page', (view) => one(view) && /page=new/.test(event(view).context?.page?.search)],
      ['It names the redirected variation', (view) => property(view, 'variationName') === 'New collection page'],
      ['It carries the referrer of the first page', (view) => Boolean(property(view, 'referrer'))],
    ],
  },
  {
    id: 'preview',
    title: 'Preview',
    text: 'A colleague forces a variation with optimizely_x. The decision is dropped, and the reason names the signal.',
    open: 'test=hero&optimizely_x=5311042897612803',
    acts: [{ say: 'A forced variation is nobody’s exposure.', when: (view) => stopped(view, 'preview') }],
    claims: [
      ['The verdict is preview', (view) => stopped(view, 'preview')],
      ['Nothing arrives', (view) => view.events.length === 0],
    ],
  },
  {
    id: 'holdback',
    title: 'Holdback',
    text: 'Held back in two campaigns. The A/B test drops it: not in the experiment. Personalization sends it, marked.',
    open: 'test=holdback',
    acts: [],
    claims: [
      ['The A/B holdback is dropped', (view) => stopped(view, 'holdback')],
      ['The personalization holdback arrives with isHoldback', (view) => one(view) && property(view, 'isHoldback') === true],
    ],
  },
  {
    id: 'duplicate',
    title: 'Duplicate',
    text: 'Optimizely tells one decision three times: event, integration, changed address. One event, the rest duplicates.',
    open: 'test=hero&again=1',
    acts: [{ say: 'Told by event, by integration and after pushState.', when: (view) => view.counts.duplicate > 1 }],
    claims: [oneEvent, ['The others are duplicates', (view) => view.counts.duplicate >= 2]],
  },
  {
    id: 'blocked',
    title: 'Segment blocked',
    text: 'A blocker stops analytics.js. The decision stays in the outbox. The next visit, unblocked, delivers it once.',
    open: 'test=hero&segment=blocked',
    acts: [{ say: 'Segment did not load. Now the next page, without the blocker.', when: blocked, act: next }],
    claims: [oneEvent, ['It was sent from the second page', (view) => one(view) && onPage(view, 2)]],
  },
  {
    id: 'qa',
    title: 'QA',
    text: 'Your own team, by your own sign (?team_qa=1). The event is sent and marked isQa, so you can test the chain.',
    open: 'test=hero&team_qa=1',
    acts: [],
    claims: [oneEvent, ['It is marked isQa', (view) => property(view, 'isQa') === true]],
  },
  {
    id: 'own',
    title: 'Any other tool',
    text: 'A test without Optimizely, told with trackDecision. The same way, the same event name.',
    open: 'test=own',
    acts: [],
    claims: [oneEvent, named],
  },
  {
    id: 'key',
    title: 'Only a write key',
    text: 'The page has no Segment snippet. Given a write key, the bridge loads analytics.js itself.',
    open: 'test=hero&segment=key',
    acts: [],
    claims: [oneEvent, named],
  },
]

/** The link to the next page; each page of the shop shows one of them at most. */
function visibleNext(stage) {
  const page = stage.frame.contentDocument?.documentElement.dataset.page
  return page === 'home' || page === 'new' ? `.only-${page} [data-go="next"]` : 'nav [data-go="next"]'
}
