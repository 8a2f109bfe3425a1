// What must hold of the JavaScript that reads what others wrote, whatever they wrote: the options of a
// page, what a tool told of a decision, what lies in storage, what stands in the address bar, and names
// on their way to an event. Each property takes `any`, of which everything it tries is made. The fuzzer
// looks for counterexamples (`./build.sh fuzz`, in QuickJS); `tests/unit/foreign.test.mjs` tries again, in
// Node, all that were ever found, and many more by chance.
import { AT, page, real } from './any.mjs'
import { experimentOf, fill, keyFields, make, outcomeFields, shown as decisionShown, variationOf } from '../www/decision.js'
import { DESTINATIONS } from '../www/destinations.js'
import { parse as parseExtras } from '../www/extra-options.js'
import { commands } from '../www/forward.js'
import { parse, shown } from '../www/options.js'
import { record, revive } from '../www/record.js'
import { look, preview, qa } from '../www/signals.js'
import { read as readAvsb } from '../www/sources/avsb.js'
import { read as readDirect } from '../www/sources/direct.js'
import { read as readGrowthBook } from '../www/sources/growthbook.js'
import { read as readOpenFeature } from '../www/sources/open-feature.js'
import { read as readOptimizelyFeature } from '../www/sources/optimizely-feature.js'
import { readCallback, readEvent, readState } from '../www/sources/optimizely-web.js'
import { read as readStatsig } from '../www/sources/statsig.js'
import { KINDS } from '../www/sources.js'
import { spell } from '../www/spelling.js'

const words = (text) => text.split(' ')

/** The texts of a decision. */
export const TEXTS = words(
  'label project campaignId campaignName experimentId experimentKey experimentName variationId variationKey variationName userId ' +
  'audienceId audienceName referrer eventName pageUrl pagePath pageTitle forced qa flagKey'
)
const OPTIONS = Object.keys(parse({}, []))
const VALUES = words(
  'auto camelCase snake_case session page tab visitor none drop mark send tcf onetrust cookiebot googleConsentMode segment params cookies context ' +
  'exposureEvent $exposure to track revenue cents identity customIDs environment http://localhost https://a.test https://a.test/x?y http://127.0.0.1:1 __proto__'
)
// What tools call the parts of what they tell.
const TOLD = words(
  'campaignId experimentId variationId isHoldback campaign experiments variations id name policy single_experiment reason force data type flag ' +
  'decisionInfo flagKey variationKey ruleKey experimentKey decisionEventDispatched reasons userId attributes key value experiment result inExperiment ' +
  'hashUsed hashValue variationKey featureId source variant experiment_id experiment_name variation_name variation_id user_id event details group ' +
  'groupName exposure ruleID undelegatedSecondaryExposures isExperimentActive isUserInExperiment allocatedExperimentName layer dynamicConfig decidedAt ' +
  'assignedAt variantId variantName properties audiences isCampaignHoldback isLayerConcluded isActive experimentName flagMetadata hookContext evaluationDetails'
)
const METHODS = words('get getState getCampaignStates getCampaignStateLists getActiveExperiments getDecisionObject getActivationId getRedirectInfo getOptimizelyConfig getContext getContextHandle')

/** Throws, and says what does not hold. */
function must(holds, what) {
  if (!holds) throw new Error(what)
}

const isScalar = (value) => typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
const letters = (text) => [...text].length

/** Arguments of a call are always a list. */
function listed(args) {
  try {
    return [...args]
  } catch {
    return [args]
  }
}

/** The ways by which what a tool told comes to be read, as the cases of tests/fixtures name them. */
export const ENTRANCES = {
  callback: ({ input, client, mistakes }) => [readCallback(input, client, AT, mistakes)],
  event: ({ input, client }) => [readEvent(input, client)],
  state: ({ client }) => readState(client, false),
  'state, of redirects only': ({ client }) => readState(client, true),
  trackDecision: ({ input, mistakes }) => [readDirect([input], AT, mistakes)],
  'trackDecision, by position': ({ input, mistakes }) => [readDirect(listed(input), AT, mistakes)],
  avsb: ({ input }) => [readAvsb(input)],
  growthbook: ({ input }) => [readGrowthBook(input, AT)],
  openFeature: ({ input, settings }) => [readOpenFeature(input, settings)],
  optimizelyFeature: ({ input, client }) => [readOptimizelyFeature(input, client, AT)],
  statsig: ({ input, client, settings }) => [readStatsig(input, client, settings, AT)],
}

/** Anything whose methods answer with anything. */
function client({ of, below, thing }) {
  const made = thing(TOLD, 3)
  if (Object(made) !== made) return made
  const answers = Object.fromEntries(Array.from({ length: below(5) }, () => [of(METHODS), thing(TOLD, 4)]))
  try {
    for (const [name, answer] of Object.entries(answers)) made[name] = (word) => (word === 'state' && 'getState' in answers ? made : answer)
  } catch {
    // Some things take nothing.
  }
  return made
}

let cases = []
/** Where the cases of tests/fixtures come from: from files in Node, from the script itself in QuickJS. */
export const useCases = (given) => (cases = given)

/** What a tool told once, with anything at some of its places. */
function brokenCase({ of, below, thing }) {
  const given = JSON.parse(of(cases).text)
  const values = words('"" "0" "constructor" null true false 0 1 1e300 [] {} {"$":"m"} {"$":"f"} {"$":"dNaN"} {"$":"g9007199254740993"}')
  for (let edits = below(4); edits > 0; edits--) {
    let at = given
    let name = of(['input', 'client', 'settings'])
    // What stands for something that JSON cannot say stays whole.
    while (Object(at[name]) === at[name] && Object.keys(at[name]).length > 0 && !at[name].$ && below(8)) {
      at = at[name]
      name = of(Object.keys(at))
    }
    at[name] = of([JSON.parse(of(values)), plain(thing(TOLD, 2))])
  }
  for (const part of ['input', 'client', 'settings']) given[part] = real(given[part])
  return given
}

/** As much of it as JSON can say. */
function plain(thing) {
  try {
    return JSON.parse(JSON.stringify(thing))
  } catch {
    return null
  }
}

/** A decision is sound, whatever it was read from: told, or refused with a reason. */
function isSound(decision) {
  for (const [name, value] of Object.entries(decision)) {
    const type = { decidedAt: 'number', isHoldback: 'boolean', personalization: 'boolean', mayRedirect: 'boolean', properties: 'object' }[name] ?? 'string'
    must(typeof value === type || name === 'shortened', `${name} is a ${typeof value}`)
    must(typeof value !== 'string' || name === 'refusal' || letters(value) <= 512, `${name} is longer than 512 characters`)
  }
  must(new Date(decision.decidedAt).toISOString().length === 24, 'no time')
  must(decision.refused ? decision.refusal : experimentOf(decision) && variationOf(decision), 'neither complete nor refused')
  must([...keyFields(decision), ...outcomeFields(decision)].every((part) => typeof part === 'string'), 'a key of what is no text')
  for (const value of Object.values(decision.properties ?? {})) must(isScalar(value), 'a property that is none')
  JSON.stringify(decisionShown(decision))
}

/** An item with any decision that may wait, and where it still has to go. */
export function anyItem({ of, below, text }) {
  const decision = make(of(KINDS.concat('direct')), AT - below(1e9))
  for (const name of TEXTS) if (below(2)) fill(decision, name, text(20))
  fill(decision, 'experimentId', 'e')
  fill(decision, 'variationId', 'v')
  decision.isHoldback = of([true, false])
  if (below(2)) decision.personalization = true
  if (below(2)) decision.properties = { [text()]: text(), number: below(100), flag: true }
  const item = { decision, receivedAt: AT - below(1e9), period: text(), isQa: of([true, false]), isPreview: of([true, false]) }
  const to = Array.from({ length: 1 + below(7) }, (_, index) => [index, below(2 ** 32), `db-${text(80)}`.replace(/\s/g, '_').slice(0, 100), of([true, false])])
  return [item, to]
}

/** What is revived is complete, whatever it was read from. */
export function isWhole(item) {
  if (!item) return
  const { decision, to } = item
  isSound(decision)
  must(!decision.refused && Number.isFinite(item.receivedAt), 'refused, or came at no time')
  must(to.length > 0 && to.length <= 7, 'goes nowhere')
  for (const [index, occurrence, id] of to) {
    must(Number.isInteger(index) && index >= 0 && index < 7 && Number.isInteger(occurrence) && occurrence >= 0, JSON.stringify(to))
    must(typeof id === 'string' && id.length > 0 && id.length <= 100, 'no idempotency key')
  }
}

/** All options as they are in force once the extras have read theirs. */
function inForce(given, mistakes) {
  const options = parse(given, mistakes)
  return Object.assign(options, parseExtras(options, mistakes))
}

export const properties = {
  options(any) {
    page()
    const mistakes = []
    const { of, below, thing } = any
    const some = () => Object.fromEntries(Array.from({ length: below(7) }, () => [of(OPTIONS), of([of(VALUES), thing(VALUES, 2), thing([...VALUES, ...OPTIONS], 3)])]))
    const options = inForce(of([some, some, () => thing([...OPTIONS, ...VALUES], 4)])(), mistakes)
    for (const mistake of mistakes) must(typeof mistake === 'string' && mistake.length < 2000, `a mistake of ${mistake.length} characters`)
    must(Object.keys(options).join() === OPTIONS.join(), 'other options than there are')
    must(/^[\w-]{0,128}$/.test(options.writeKey ?? ''), 'a write key that reaches into the address')
    must(/^($|https:\/\/|http:\/\/(localhost|127\.|\[::1]))/.test(options.cdnUrl ?? '') && !/[?#@\\\s]/.test(options.cdnUrl ?? ''), 'a host that the page did not name')
    for (const name of ['pollIntervalMs', 'maxWaitMs', 'carryOverMs', 'sessionTimeoutMs']) must(Number.isFinite(options[name]) && options[name] >= 0, name)
    for (const name of ['identify', 'alias', 'requireConsent', 'debug']) must(typeof options[name] === 'boolean', name)
    for (const value of Object.values(options.properties)) must(isScalar(value), 'a property that is none')
    JSON.stringify(shown(options))
  },

  decisions(any) {
    const { of, below, thing, text } = any
    const mistakes = []
    const freely = () => ({ entrance: of(Object.keys(ENTRANCES)), input: thing(TOLD), client: client(any), settings: thing(TOLD, 2) })
    const given = of([freely, ...Array(3).fill(() => brokenCase(any))])()
    page({ cookie: of([given.cookies, text()]), dataLayer: thing(TOLD, 1) })
    const found = ENTRANCES[given.entrance]({ ...given, mistakes })
    for (const decision of found.filter(Boolean)) isSound(decision)
    for (const mistake of mistakes) must(typeof mistake === 'string' && mistake.length < 2000, 'a mistake without end')
  },

  records(any) {
    const [item, to] = anyItem(any)
    const whole = record(item, to)
    const back = revive(whole, AT)
    must(back && JSON.stringify(back.to) === JSON.stringify(to), 'came back to other places')
    for (const name of TEXTS) must(back.decision[name] === item.decision[name], `${name} came back as another`)
    // Written over by somebody, here and there.
    let broken = whole
    for (let edits = any.below(4); edits >= 0; edits--) {
      const at = any.below(broken.length)
      broken = broken.slice(0, at) + any.of([any.text(), JSON.stringify(any.of(['', 1, -1, 1e300, null, true, [], {}, 'direct'])), '', '"', ',', '0']) + broken.slice(at + any.below(9))
    }
    isWhole(revive(broken, AT))
    isWhole(revive(any.text(200), AT))
  },

  signals(any) {
    const names = [...words('optimizely_x optimizely_token qa mode debug_vis_preview_ PREVIEW optimizely_force_tracking _wt.mode staging'), '=', '&', ';', '%', '%41', '1', 'true']
    const told = () => Array.from({ length: any.below(9) }, () => any.of([any.of(names), any.text()])).join('')
    page({ search: `?${told()}`, cookie: told() })
    const found = look()
    must(typeof preview(found, () => any.of([undefined, told()])) === 'string', 'a preview that is no text')
    must(/^$| \((query|cookie)\)$/.test(qa(found, { params: ['qa', 'mode=qa'], cookies: [any.text()] })), 'a QA signal without its place')
  },

  // From a decision to an event, with the names it came with.
  names(any) {
    page()
    const [item, to] = anyItem(any)
    const options = inForce({ eventName: any.text(), propertyCase: any.of(['auto', 'camelCase', 'snake_case']), properties: any.thing(TOLD, 1), destinationOptions: { amplitude: { exposureEvent: any.text() } } }, [])
    const told = any.of([item, revive(record(item, to), AT)])
    for (const { kind } of DESTINATIONS) {
      const { name, properties } = spell(told, options, kind)
      must(typeof name === 'string' && name, 'an event without a name')
      for (const [field, value] of Object.entries(properties)) must(isScalar(value), `${field} is a ${typeof value}`)
      JSON.stringify(properties)
    }
    const event = { tool: any.of(['segment', 'rudderstack']), type: any.of(['track', 'page']), event: any.thing(TOLD, 1), category: any.thing(TOLD, 1), name: any.thing(TOLD, 1), properties: any.thing(['revenue', 'value', 'quantity', '1,2', '$1']) }
    for (const command of commands(event, { track: {}, namedPages: true, categorizedPages: true, revenue: any.of(['cents', 'as-is']), onlyRevenueFor: any.of([null, [any.text()]]) })) {
      must(typeof command.eventName === 'string' && command.eventName, 'Optimizely gets an event without a name')
      for (const [name, tag] of Object.entries(command.tags ?? {})) must(isScalar(tag), `the tag ${name} is a ${typeof tag}`)
    }
  },
}
