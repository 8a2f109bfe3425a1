// The tools of the customer's page, as its address switches them on: `sources=statsig,growthbook` and
// `destinations=segment,posthog`. Each is the vendor's own SDK, run as its documentation tells; Google's
// and A vs B's are hosted only, and have a stand-in. Each source decides one experiment by itself.

/* exported visitTools */
const visitTools = (function () {
  'use strict'
  const query = new URLSearchParams(location.search)
  const listed = (name, otherwise) => new Set((query.get(name) ?? otherwise).split(',').filter(Boolean))
  const sources = listed('sources', 'optimizelyWeb')
  const destinations = listed('destinations', 'segment')
  const collector = (tool) => `${location.origin}/collect/${tool}`

  /** Who the experiment tools take the visitor for. */
  const user = () => (localStorage.demo_user ||= `visitor-${crypto.randomUUID().slice(0, 8)}`)

  /** What a variation does to the shop; visit.css says what that looks like. */
  const put = (change) => document.documentElement.classList.add(change)

  const load = (src) =>
    new Promise((loaded, failed) => {
      const script = document.createElement('script')
      script.src = src
      script.onload = loaded
      script.onerror = failed
      document.head.append(script)
    })

  const bridge = (...call) => (window.decisionBridge = window.decisionBridge || []).push(call)

  // ── Sources ─────────────────────────────────────────────────────────────────────────────────
  const decide = {
    async optimizelyFeature() {
      await load('/packages/@optimizely/optimizely-sdk/dist/optimizely.browser.umd.min.js')
      const sdk = window.optimizelySdk
      // What it tells Optimizely stays on the page.
      const eventDispatcher = { dispatchEvent: () => Promise.resolve({ statusCode: 200 }) }
      const client = sdk.createInstance({
        projectConfigManager: sdk.createStaticProjectConfigManager({ datafile: JSON.stringify(DATAFILE) }),
        eventProcessor: sdk.createBatchEventProcessor({ eventDispatcher, closingEventDispatcher: eventDispatcher }),
      })
      bridge('attach', 'optimizelyFeature', client)
      await client.onReady()
      if (client.createUserContext(user()).decide('gift_wrap').enabled) put('gift-wrap')
    },

    async statsig() {
      await load('/packages/@statsig/js-client/build/statsig-js-client.min.js')
      const networkConfig = { api: `${collector('statsig')}/v1` }
      const who = { userID: user() }
      const client = new window.Statsig.StatsigClient('client-demo', who, { networkConfig, logLevel: 1 })
      // As a server that knows the values puts them into the page.
      client.dataAdapter.setData(JSON.stringify({ ...STATSIG, user: who }))
      client.initializeSync()
      put(client.getExperiment('shelf_order').get('order', 'as-ever'))
    },

    async growthbook() {
      await load('/packages/@growthbook/growthbook/dist/bundles/index.min.js')
      const { GrowthBook } = window.growthbook
      const client = new GrowthBook({ attributes: { id: user() } }).initSync({ payload: GROWTHBOOK })
      bridge('attach', 'growthbook', client)
      put(client.getFeatureValue('delivery_promise', 'none'))
    },

    async openFeature() {
      await load('/packages/@openfeature/web-sdk/dist/global/index.min.js')
      // It keeps nothing of what it evaluated: we listen before it does.
      bridge('attach', 'openFeature')
      const { OpenFeature: api, InMemoryProvider } = window.OpenFeature
      await api.setContext({ targetingKey: user() })
      await api.setProviderAndWait(new InMemoryProvider({
        photo_size: {
          disabled: false,
          defaultVariant: 'small',
          variants: { small: 'small-photos', large: 'large-photos' },
          contextEvaluator: () => 'large',
        },
      }))
      put(api.getClient().getStringValue('photo_size', 'small-photos'))
    },

    async avsb() {
      window.avsbStandIn = { experiments: [AVSB] }
      bridge('attach', 'avsb')
      await load('/demo/avsb-stand-in.js')
      if (window.avsb.getVariation(AVSB.id) === 'var_arrow') put('button-arrow')
    },

    async webyn() {
      const tool = ({ onAssignment }) => {
        put('mending-promise')
        onAssignment({
          experimentId: 'mending_promise', experimentName: 'Mending promise', variantId: 'for_ever', variantName: 'For ever',
          source: 'webyn',
        })
      }
      tool({ onAssignment: (assignment) => bridge('trackDecision', assignment) })
    },
  }

  const everybody = (id, key, variation) => ({
    id, key, layerId: `layer-${id}`, status: 'Running', audienceIds: [], forcedVariations: {},
    variations: [{ id: `${id}1`, key: variation, featureEnabled: true }],
    trafficAllocation: [{ entityId: `${id}1`, endOfRange: 10000 }],
  })
  const DATAFILE = {
    version: '4', revision: '1', projectId: '22', accountId: '1', sendFlagDecisions: true,
    rollouts: [], groups: [], audiences: [], attributes: [], events: [],
    featureFlags: [{ id: '7301118840', key: 'gift_wrap', rolloutId: '', experimentIds: ['7302118840'], variables: [] }],
    experiments: [everybody('7302118840', 'gift_wrap_test', 'ribbon')],
  }
  const STATSIG = {
    has_updates: true, time: 1760000000000, hash_used: 'none', feature_gates: {}, layer_configs: {},
    dynamic_configs: {
      shelf_order: {
        name: 'shelf_order', value: { order: 'bestseller-first' }, rule_id: '5bestseller', group: '5bestseller',
        group_name: 'Bestseller first', id_type: 'userID', is_device_based: false, is_user_in_experiment: true,
        is_experiment_active: true, secondary_exposures: [],
      },
    },
  }
  const GROWTHBOOK = {
    features: {
      delivery_promise: {
        defaultValue: 'none',
        rules: [{
          key: 'delivery_promise_test', name: 'Delivery promise', hashAttribute: 'id', coverage: 1,
          variations: ['none', 'delivery-friday'], weights: [0, 1],
          meta: [{ key: '0', name: 'Control' }, { key: '1', name: 'By Friday' }],
        }],
      },
    },
  }
  const AVSB = {
    id: 'exp_bag_button',
    name: 'Bag button',
    variations: [{ id: 'var_0', name: 'Original' }, { id: 'var_arrow', name: 'With an arrow' }],
  }

  // ── Destinations ────────────────────────────────────────────────────────────────────────────
  const start = {
    async amplitude() {
      await load('/sdk/amplitude.js')
      const serverUrl = `${collector('amplitude')}/2/httpapi`
      window.amplitude.init('0123456789abcdef', { serverUrl, fetchRemoteConfig: false, autocapture: false, flushIntervalMillis: 100 })
    },

    async rudderstack() {
      const server = collector('rudderstack')
      window.rudderanalytics = [['load', '2abcdefghijklmnopqrstuvwxyz', server, { configUrl: server }]]
      await load('/sdk/rudderstack.js')
    },

    // Mixpanel's own snippet: a stub that queues, and its library.
    async mixpanel() {
      window.MIXPANEL_CUSTOM_LIB_URL = '/sdk/mixpanel.js'
      await load('/packages/mixpanel-browser/dist/mixpanel-jslib-snippet.min.js')
      window.mixpanel.init('demo', {
        api_host: collector('mixpanel'), persistence: 'localStorage', batch_flush_interval_ms: 100, opt_out_useragent_filter: true,
      })
    },

    async posthog() {
      await load('/sdk/posthog.js')
      window.posthog.init('phc_demo', {
        api_host: collector('posthog'), disable_compression: true, request_batching: false, opt_out_useragent_filter: true,
        autocapture: false, capture_pageview: false, capture_pageleave: false, disable_session_recording: true,
        disable_surveys: true, advanced_disable_flags: true, disable_external_dependency_loading: true,
      })
    },

    ga4: () => load('/demo/google-stand-in.js'),
    gtm: () => load('/demo/google-stand-in.js'),
  }

  return {
    sources,
    destinations,

    startDestinations() {
      for (const [name, begin] of Object.entries(start)) if (destinations.has(name)) begin()
    },

    startSources() {
      for (const [name, begin] of Object.entries(decide)) if (sources.has(name)) begin()
    },
  }
})()
