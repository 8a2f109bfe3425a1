// Options: what comes in, what it is worth, and the exact words about what is wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULTS, LONG, good, parse, parsed, plain, refuses, refusesAllBut } from './options.mjs'
import { ONE_OF_EACH_KIND, load, locked, property, revoked } from './page.mjs'

const { parse: parseOwn, shown } = await load('options.js')

const list = (...names) => names.map((name) => `"${name}"`).join(' or ')
const SOURCES = ['optimizelyWeb', 'optimizelyFeature', 'statsig', 'growthbook', 'openFeature', 'avsb']
const DESTINATIONS = ['segment', 'amplitude', 'rudderstack', 'mixpanel', 'posthog', 'ga4', 'gtm']

test('the defaults are those of the contract', () => {
  const options = good({})
  assert.deepEqual(options, {
    writeKey: null, cdnUrl: null, eventName: null, propertyCase: 'auto', properties: {}, sources: 'auto', sourceOptions: Object.fromEntries(SOURCES.map((name) => [name, null])),
    destinations: 'auto',
    destinationOptions: { segment: { context: {}, integrations: {} }, amplitude: { exposureEvent: null } },
    identify: false, alias: false, pollIntervalMs: 250, maxWaitMs: 5000, carryOverMs: 1_800_000, dedupe: 'session',
    sessionTimeoutMs: 1_800_000, preview: 'drop', qa: 'mark', qaSignals: { params: [], cookies: [] }, holdback: 'auto',
    requireConsent: false, consentFrom: [], consentCategory: null, consentDefault: 'hold',
    statsig: { identity: false, customIDs: {}, custom: {}, environment: null },
    forwardEvents: { to: null, track: true, namedPages: true, categorizedPages: true, revenue: 'as-is', onlyRevenueFor: null },
    debug: false,
  })
  for (const nothing of [null, undefined, { writeKey: undefined, whatever: undefined }]) assert.deepEqual(good(nothing), options)
})

test('options that are no object are refused as a whole', () => {
  for (const [value, spelled] of ONE_OF_EACH_KIND) {
    if (['null', 'an object'].includes(spelled)) continue
    const [options, mistakes] = parsed(value)
    assert.deepEqual(mistakes, [`init \`argument 1\` is ${spelled}, must be an object`])
    assert.deepEqual(options, DEFAULTS)
  }
})

test('an unknown option is named', () => {
  refuses({ writekey: 'k' }, 'init: option `writekey` is not known')
  refuses({ '': null }, 'init: option `` is not known')
  refuses({ constructor: 1 }, 'init: option `constructor` is not known')
  refuses(JSON.parse('{"__proto__": 1}'), 'init: option `__proto__` is not known')
  const long = 'x'.repeat(1000)
  refuses({ [long]: 1 }, `init: option \`${long.slice(0, 512)}\` is not known`)
})

test('each mistake is told and what is right still counts', () => {
  const [options, mistakes] = parsed({ debug: 'yes', eventName: 'Seen', maxWaitMs: -1, pollIntervalMs: 100, qa: 'drop', typo: 1 })
  assert.deepEqual(mistakes, [
    'init: option `maxWaitMs` is -1, must be a number of 0 to 600000',
    'init: option `debug` is "yes", must be true or false',
    'init: option `typo` is not known',
  ])
  assert.deepEqual(options, { ...DEFAULTS, eventName: 'Seen', pollIntervalMs: 100, qa: 'drop' })
})

test('an event name is a string with something in it', () => {
  assert.equal(good({ eventName: 'Experiment Seen' }).eventName, 'Experiment Seen')
  assert.equal(good({ eventName: 'é'.repeat(600) }).eventName, 'é'.repeat(512))
  refusesAllBut(['"no such"', LONG], 'eventName', 'a string that is not empty')
  refuses({ eventName: '  ' }, 'init: option `eventName` is "  ", must be a string that is not empty')
})

test('numbers stay within their ranges', () => {
  for (const [name, wanted, least, most] of [
    ['pollIntervalMs', 'a number of 10 to 60000', 10, 60_000],
    ['maxWaitMs', 'a number of 0 to 600000', 0, 600_000],
    ['carryOverMs', 'a number of 0 to 9000000000000000', 0, 9e15],
    ['sessionTimeoutMs', 'a number of 1000 to 9000000000000000', 1000, 9e15],
  ]) {
    for (const number of [least, most, least + 1]) assert.equal(good({ [name]: number })[name], number, name)
    assert.equal(good({ [name]: least + 1.75 })[name], least + 1, `${name} is a whole number`)
    refusesAllBut(least < 7 ? ['7.5'] : [], name, wanted)
    if (least > 0) refuses({ [name]: least - 1 }, `init: option \`${name}\` is ${least - 1}, must be ${wanted}`)
    refuses({ [name]: most + 1 }, `init: option \`${name}\` is ${most + 1}, must be ${wanted}`)
    refuses({ [name]: '300' }, `init: option \`${name}\` is "300", must be ${wanted}`)
  }
  refuses({ pollIntervalMs: 1e12 }, 'init: option `pollIntervalMs` is 1000000000000, must be a number of 10 to 60000')
})

test('choices are listed', () => {
  for (const [name, ...choices] of [
    ['dedupe', 'session', 'page', 'tab', 'visitor', 'none'],
    ['preview', 'drop', 'mark', 'send'],
    ['qa', 'drop', 'mark', 'send'],
    ['holdback', 'auto', 'drop', 'send'],
    ['propertyCase', 'auto', 'camelCase', 'snake_case'],
    ['consentDefault', 'hold', 'grant', 'refuse'],
  ]) {
    // What only the extras understand is not given where it is `null`.
    refusesAllBut(name === 'consentDefault' ? ['null'] : [], name, list(...choices))
    for (const choice of choices) assert.equal(good({ [name]: choice })[name], choice)
    const capital = choices[0].toUpperCase()
    refuses({ [name]: capital }, `init: option \`${name}\` is "${capital}", must be ${list(...choices)}`)
  }
})

test('flags are booleans and nothing like them', () => {
  for (const name of ['requireConsent', 'debug', 'identify', 'alias']) {
    for (const flag of [true, false]) assert.equal(good({ [name]: flag })[name], flag)
    refusesAllBut(['true', 'false'], name, 'true or false')
    refuses({ [name]: 'true' }, `init: option \`${name}\` is "true", must be true or false`)
    refuses({ [name]: 1 }, `init: option \`${name}\` is 1, must be true or false`)
  }
})

test('properties are strings, numbers and booleans', () => {
  const options = good({ properties: { a: 'text "quoted"\n', b: 1.5, c: true, d: -2, e: '', n: null, z: undefined } })
  assert.deepEqual(options.properties, { a: 'text "quoted"\n', b: 1.5, c: true, d: -2, e: '' })
  refusesAllBut(['an object'], 'properties', 'an object')
  for (const [value, spelled] of ONE_OF_EACH_KIND) {
    if (['true', 'false', '7.5', '-1', 'null'].includes(spelled) || spelled.startsWith('"')) continue
    const mistake = `init: option \`properties.bad\` is ${spelled}, must be a string, a number or a boolean`
    refuses({ properties: { bad: value } }, mistake)
    assert.deepEqual(parsed({ properties: { bad: value, good: 1 } })[0].properties, { good: 1 })
  }
})

test('properties are 4096 characters at most', () => {
  const properties = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, 'x'.repeat(500)]))
  const [options, mistakes] = parsed({ properties })
  assert.equal(Object.keys(options.properties).length, 8)
  assert.deepEqual(mistakes, ['init: option `properties` is longer than 4096 characters, the rest is left out'])
})

test('names of properties may be what objects have anyway, or what we call things', () => {
  const text = '{"__proto__":"a","constructor":"b","toString":"c","wanted":"d"}'
  assert.equal(JSON.stringify(good({ properties: JSON.parse(text) }).properties), text)
  const segment = { context: JSON.parse(text) }
  assert.equal(JSON.stringify(good({ destinationOptions: { segment } }).destinationOptions.segment.context), text)
})

test('qa signals are lists of names or pairs', () => {
  const qaSignals = { params: ['qa', 'mode=test'], cookies: ['team'] }
  assert.deepEqual(good({ qaSignals }).qaSignals, qaSignals)
  assert.deepEqual(good({ qaSignals: {} }), DEFAULTS)
  refusesAllBut(['an object', 'null', 'false'], 'qaSignals', 'an object')
  for (const part of ['params', 'cookies']) {
    for (const [value, spelled] of ONE_OF_EACH_KIND) {
      const mistake = `init: option \`qaSignals.${part}\` is ${spelled}, must be a list of names or name=value pairs`
      if (spelled !== 'a list') refuses({ qaSignals: { [part]: value } }, mistake)
      if (!spelled.startsWith('"') || spelled === '""') refuses({ qaSignals: { [part]: [value] } }, mistake.replace(`${part}\``, `${part}[0]\``))
    }
  }
  refuses({ qaSignals: { param: ['qa'] } }, 'init: option `qaSignals.param` is not known')
})

test('sources are known or a mistake', () => {
  const wanted = list(...SOURCES)
  assert.deepEqual(good({ sources: 'auto' }), DEFAULTS)
  assert.deepEqual(good({ sources: ['optimizelyWeb'] }).sources, ['optimizelyWeb'])
  assert.deepEqual(good({ sources: [] }).sources, [], 'an empty list asks for none')
  refusesAllBut(['a list'], 'sources', '"auto" or a list')
  for (const [value, spelled] of ONE_OF_EACH_KIND) {
    refuses({ sources: [value] }, `init: option \`sources[0]\` is ${spelled}, must be ${wanted}`)
  }
  const [options, mistakes] = parsed({ sources: ['optimizelyWeb', 'statsik', 'optimizelyWeb'] })
  assert.deepEqual(mistakes, [`init: option \`sources[1]\` is "statsik", must be ${wanted}`])
  assert.deepEqual(options.sources, ['optimizelyWeb'], 'the good ones count, once')
  refuses({ sources: ['direct'] }, `init: option \`sources[0]\` is "direct", must be ${wanted}`)
})

test('destinations are known or a mistake', () => {
  assert.deepEqual(good({ destinations: 'auto' }), DEFAULTS)
  assert.deepEqual(good({ destinations: ['segment'] }).destinations, ['segment'])
  assert.deepEqual(good({ destinations: ['gtm', 'segment'] }).destinations, ['segment', 'gtm'], 'in the order in which they are served')
  assert.deepEqual(good({ destinations: [] }).destinations, [])
  refusesAllBut(['a list'], 'destinations', '"auto" or a list')
  const [options, mistakes] = parsed({ destinations: ['segment', 'segmnt'] })
  assert.deepEqual(mistakes, [`init: option \`destinations[1]\` is "segmnt", must be ${list(...DESTINATIONS)}`])
  assert.deepEqual(options.destinations, ['segment'])
})

test('what is said about a part is an object or asks for nothing', () => {
  for (const name of ['statsig', 'sourceOptions', 'destinationOptions', 'forwardEvents']) {
    refusesAllBut(['an object', 'null', 'false'], name, 'an object')
    for (const nothing of [false, null, undefined]) assert.deepEqual(good({ [name]: nothing }), DEFAULTS)
  }
  for (const name of ['segment', 'amplitude']) {
    refuses({ destinationOptions: { [name]: 7 } }, `init: option \`destinationOptions.${name}\` is 7, must be an object`)
    refuses({ destinationOptions: { [name]: 0 } }, `init: option \`destinationOptions.${name}\` is 0, must be an object`)
    assert.deepEqual(good({ destinationOptions: { [name]: {} } }), DEFAULTS)
  }
})

test('an unknown option of a part is named in full', () => {
  for (const [given, name] of [
    [{ statsig: { identify: true } }, 'statsig.identify'],
    [{ forwardEvents: { to: 'optimizelyWeb', pages: true } }, 'forwardEvents.pages'],
    [{ destinationOptions: { segmnt: {} } }, 'destinationOptions.segmnt'],
    [{ destinationOptions: { segment: { traits: {} } } }, 'destinationOptions.segment.traits'],
    [{ destinationOptions: { 'segment.context': {} } }, 'destinationOptions.segment.context'],
    [{ 'statsig.identity': true }, 'statsig.identity'],
    [{ sourceOptions: { statsik: {} } }, 'sourceOptions.statsik'],
  ]) {
    assert.deepEqual(parsed(given)[1], [`init: option \`${name}\` is not known`])
  }
})

test('each option of statsig is checked', () => {
  const statsig = { identity: true, customIDs: { company: '7', shop: 12 }, custom: { plan: 'pro', beta: true }, environment: 'staging' }
  assert.deepEqual(good({ statsig }).statsig, statsig)
  for (const [given, mistake] of [
    [{ identity: 'yes' }, '`statsig.identity` is "yes", must be true or false'],
    [{ customIDs: ['company', '7'] }, '`statsig.customIDs` is a list, must be an object'],
    [{ customIDs: { company: {} } }, '`statsig.customIDs.company` is an object, must be a string, a number or a boolean'],
    [{ custom: { plan: [1] } }, '`statsig.custom.plan` is a list, must be a string, a number or a boolean'],
    [{ environment: '' }, '`statsig.environment` is "", must be a string that is not empty'],
  ]) {
    refuses({ statsig: given }, `init: option ${mistake}`)
  }
})

test('events are forwarded where the page says to', () => {
  const to = 'optimizelyWeb'
  assert.deepEqual(good({ forwardEvents: { to } }).forwardEvents, { ...DEFAULTS.forwardEvents, to }, 'all of them')
  const forwardEvents = { to, track: false, namedPages: true, categorizedPages: false, revenue: 'cents', onlyRevenueFor: ['Order Completed'] }
  assert.deepEqual(good({ forwardEvents }).forwardEvents, forwardEvents)
  assert.deepEqual(good({ forwardEvents: { to, onlyRevenueFor: [] } }).forwardEvents.onlyRevenueFor, [], 'an empty list asks for none')
})

test('each option of forwarding is checked', () => {
  for (const [given, came] of [[{}, 'missing'], [{ to: undefined }, 'missing'], [{ to: null }, 'null'], [{ to: '' }, '""'], [{ to: 'vwo' }, '"vwo"']]) {
    refuses({ forwardEvents: given }, `init: option \`forwardEvents.to\` is ${came}, must be "optimizelyWeb"`)
  }
  for (const [given, mistake] of [
    [{ track: 1 }, 'track` is 1, must be true or false'],
    [{ namedPages: null }, 'namedPages` is null, must be true or false'],
    [{ categorizedPages: 'all' }, 'categorizedPages` is "all", must be true or false'],
    [{ revenue: 'euros' }, 'revenue` is "euros", must be "as-is" or "cents"'],
    [{ onlyRevenueFor: 'Order' }, 'onlyRevenueFor` is "Order", must be a list of event names'],
    [{ onlyRevenueFor: [7] }, 'onlyRevenueFor[0]` is 7, must be a list of event names'],
  ]) {
    const [options, mistakes] = parsed({ forwardEvents: { ...given, to: 'optimizelyWeb' } })
    assert.deepEqual(mistakes, [`init: option \`forwardEvents.${mistake}`])
    assert.deepEqual(options, good({ forwardEvents: { to: 'optimizelyWeb' } }), 'the default counts')
  }
})

test('context and integrations of Segment are carried as they are', () => {
  const segment = {
    context: { app: { name: 'shop', tags: [1, 'two', null] }, ip: '0.0.0.0' },
    integrations: { All: false, Amplitude: { session_id: 7 }, gone: undefined },
  }
  assert.deepEqual(good({ destinationOptions: { segment } }).destinationOptions.segment, {
    context: segment.context,
    integrations: { All: false, Amplitude: { session_id: 7 } },
  })
  for (const part of ['context', 'integrations']) {
    const name = `init: option \`destinationOptions.segment.${part}`
    refuses({ destinationOptions: { segment: { [part]: [] } } }, `${name}\` is a list, must be an object`)
    const circle = {}
    circle.circle = circle
    for (const [value, spelled] of [[() => {}, 'a function'], [7n, '7n'], [circle, 'an object']]) {
      refuses({ destinationOptions: { segment: { [part]: { bad: value } } } }, `${name}.bad\` is ${spelled}, must be what JSON can carry`)
    }
    refuses({ destinationOptions: { segment: { [part]: { long: 'x'.repeat(32_000) } } } }, `${name}\` is longer than 32000 characters, the rest is left out`)
  }
})

test('Amplitude may be given another event', () => {
  const given = (exposureEvent) => ({ destinationOptions: { amplitude: { exposureEvent } } })
  assert.equal(good(given('$exposure')).destinationOptions.amplitude.exposureEvent, '$exposure')
  refuses(given(7), 'init: option `destinationOptions.amplitude.exposureEvent` is 7, must be a string that is not empty')
})

test('options of a source are its own', () => {
  const sourceOptions = { optimizelyWeb: { any: { thing: [1] } }, openFeature: { flags: ['a'] } }
  assert.deepEqual(good({ sourceOptions }).sourceOptions, { ...DEFAULTS.sourceOptions, ...sourceOptions })
})

test('the report shows the options in force and no secret', () => {
  const given = {
    writeKey: 'abcdefghijkl', cdnUrl: 'https://cdn.test', dedupe: 'tab', qa: 'send', properties: { site: 'shop' },
    qaSignals: { params: ['qa'] }, sources: ['optimizelyWeb'], maxWaitMs: 1,
  }
  assert.deepEqual(plain(shown(parse(given, []))), {
    ...DEFAULTS, ...given, writeKey: 'abcd…', qaSignals: { params: ['qa'], cookies: [] },
  })
  assert.equal(shown(parse({}, [])).writeKey, null)
})

test('consent tools are one or a list, and whoever names any is held until they answer', () => {
  assert.equal(good({}).requireConsent, false)
  for (const given of ['tcf', ['gpc', 'oneTrust'], []]) {
    assert.equal(good({ consentFrom: given, requireConsent: false }).requireConsent, true)
  }
  for (const nothing of [null, false, undefined]) assert.deepEqual(good({ consentFrom: nothing }), DEFAULTS)
  const wanted = list('googleConsentMode', 'oneTrust', 'cookiebot', 'tcf', 'segment', 'gpc', 'dnt')
  for (const [value, spelled] of ONE_OF_EACH_KIND) {
    const one = ['null', 'false', 'a list'].includes(spelled) ? [] : [[value, 'consentFrom', spelled]]
    for (const [given, part, came] of [...one, [['tcf', value], 'consentFrom[1]', spelled]]) {
      const [options, mistakes] = parsed({ consentFrom: given })
      assert.deepEqual(mistakes, [`init: option \`${part}\` is ${came}, must be ${wanted}`])
      assert.equal(options.requireConsent, true, 'a mistake here sends nothing without consent')
    }
  }
  assert.deepEqual(good({ consentFrom: ['dnt', 'tcf'] }).consentFrom, ['tcf', 'dnt'])
  assert.deepEqual(good({ consentFrom: 'dnt' }).consentFrom, ['dnt'])
})

test('the extras are fetched for whoever asks for something of theirs, and for nobody else', () => {
  const extras = (given) => parseOwn(given, []).extras
  for (const given of [
    { identify: true }, { alias: true }, { consentFrom: 'tcf' }, { forwardEvents: { to: 'optimizelyWeb' } },
    { statsig: { identity: true } }, { statsig: { customIDs: { a: 1 } } }, { statsig: { custom: { a: 1 } } }, { statsig: { environment: 'e' } },
    // It is for them to say what is missing, or wrong.
    { forwardEvents: {} }, { forwardEvents: { track: true } }, { consentFrom: 'nobody' }, { statsig: 5 }, { consentDefault: 'maybe' },
  ]) {
    assert.equal(extras(given), true, JSON.stringify(given))
  }
  for (const given of [{}, { requireConsent: true, consentFrom: [] }, { statsig: {}, forwardEvents: null }, { identify: false, alias: false, consentFrom: false }]) assert.equal(extras(given), false)
})

test('what throws when it is looked at is missing, or no good', () => {
  for (const given of [locked(), revoked(), revoked([])]) assert.deepEqual(parsed(given)[0], DEFAULTS)
  for (const name of Object.keys(DEFAULTS)) {
    for (const value of [locked(), revoked(), revoked([]), [locked()], [revoked([])]]) parsed({ [name]: value })
  }
})

test('lists in the context stay lists on a page with prototype.js', () => {
  Array.prototype.toJSON = () => 'patched'
  try {
    assert.ok(Array.isArray(parse({ destinationOptions: { segment: { context: { tags: ['a', 'b'] } } } }, []).destinationOptions.segment.context.tags))
  } finally {
    delete Array.prototype.toJSON
  }
})

test('whatever comes, options never throw, and what is in force is good', () => {
  const within = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? [...Object.keys(value), ...Object.values(value).flatMap(within)] : [])
  const names = [...within(DEFAULTS), ...SOURCES, ...DESTINATIONS, 'tcf', 'cents', 'drop', 'mark', 'https://a.test', '$exposure']
  const shape = (value) => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value)
  property(2000, ({ thing }) => {
    const mistakes = []
    const options = parse(thing(names, 4), mistakes)
    for (const mistake of mistakes) assert.ok(typeof mistake === 'string' && mistake.length < 2000, mistake)
    assert.deepEqual(Object.keys(options).filter((name) => name !== 'extras'), Object.keys(DEFAULTS))
    const told = plain(shown(options))
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const either = { consentFrom: ['list'], sources: ['list', 'string'], destinations: ['list', 'string'] }[name] ?? [shape(value)]
      assert.ok([...either, ...(value === null ? ['string'] : [])].includes(shape(told[name])), `${name} is ${shape(told[name])}`)
    }
    // Nothing of the page's is kept: a second look finds the same.
    assert.deepEqual(plain(shown(parse(JSON.parse(JSON.stringify(options)), []))).properties, told.properties)
  })
})
