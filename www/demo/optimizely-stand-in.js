// A stand-in for Optimizely Web's hosted client, which is not ours to copy. It is written from what
// is known about the real one (published client, its documentation, the integrations Optimizely
// publishes) and keeps to the order, the types and the oddities our product has to live with. It
// decides nothing by itself: the page says who falls where.
//
//   window.optimizelyStandIn = {
//     visitorId: 'oeu1…',            // else the cookie optimizelyEndUserId, else a new one
//     projectId: '21',
//     campaigns: [{
//       id, name, policy: 'single_experiment' | 'multivariate' | 'random' | 'ordered' | 'equal_priority',
//       pageIds: ['1'],              // default: all pages
//       concluded: false,
//       audiences: [{id, name}],
//       experiments: [{id, name, variations: [{id, name, redirectTo, run}]}],
//     }],
//     pages: [{id, apiName, path: '^/shop', trigger: 'immediate' | 'manual' | 'urlChange'}],
//     decide: (campaign) => ({variationId, holdback}),  // variationId null: did not qualify. Default: the first
//     integration: true | '<JSON of an integration>',   // true: /dist/optimizely-integration.json
//     extension: {},                 // the integration's settings, over its form's defaults
//     scope: 'client' | 'guide',     // what the integration finds in scope: the real thing, or what the guide says
//     maskNames: false, allowForcing: true, answers: ['state', …], redirectCookie: 'tracking' | 'change',
//     client: 'web' | 'edge',
//   }
//
// Then `optimizelyStandIn.log` tells what it did, `.changed()` which of its objects somebody wrote into.
//   window.optimizelyStandIn = false // this page is without Optimizely
(function () {
  'use strict'
  if (window.optimizelyStandIn === false) return
  const config = (window.optimizelyStandIn = window.optimizelyStandIn || {})
  const EDGE = config.client === 'edge'
  const NAME = EDGE ? 'optimizelyEdge' : 'optimizely'
  const REDIRECT_COOKIE = 'optimizelyRedirectData'
  const query = new URLSearchParams(location.search)
  const campaigns = config.campaigns || []
  const pages = config.pages || [{ id: '1', apiName: 'every_page' }]
  const projectId = config.projectId || '21'
  const cookies = Object.fromEntries(
    document.cookie.split('; ').filter(Boolean).map((pair) => {
      const cut = pair.indexOf('=')
      return [pair.slice(0, cut), decodeURIComponent(pair.slice(cut + 1))]
    }),
  )
  const visitorId = config.visitorId || cookies.optimizelyEndUserId || `oeu${Date.now()}r${Math.random()}`
  document.cookie = `optimizelyEndUserId=${visitorId}; path=/; max-age=15552000; samesite=lax`

  // Preview and forced variations: everything is decided and emitted, nothing is tracked.
  const previewed = parse(cookies.optimizelyPreview)
  const asked = config.allowForcing === false ? '' : query.get('optimizely_x') || ''
  const forcedIds = [...asked.split(',').filter(Boolean), ...((previewed && previewed.forceVariationIds) || [])].map(String)
  const forcedAudiences = query.get('optimizely_x_audiences')
  const isPreview = Boolean(previewed || query.get('optimizely_token') || cookies.optimizelyToken)
  let trackingDisabled = false
  const tracks = () =>
    !trackingDisabled &&
    (Boolean(query.get('optimizely_force_tracking')) || (!isPreview && forcedIds.length === 0 && !forcedAudiences))

  const log = (config.log = [])
  const handedOut = []
  const listeners = []
  const activePages = new Set()
  const states = {}
  let activationId = ''
  let redirectInfo = null

  /** Lends an object out, and remembers what it looked like. */
  function lend(object) {
    if (object && typeof object === 'object') handedOut.push([object, JSON.stringify(object)])
    return object
  }
  config.changed = () => handedOut.filter(([object, before]) => JSON.stringify(object) !== before).map(([object]) => object)

  function parse(text) {
    try {
      return text ? JSON.parse(text) : null
    } catch {
      return null
    }
  }

  const named = (thing) => (config.maskNames || !thing || thing.name === undefined ? null : thing.name)

  // ── Deciding ────────────────────────────────────────────────────────────────────────────────

  function decide(campaign) {
    for (const experiment of campaign.experiments) {
      const forced = experiment.variations.find((variation) => forcedIds.includes(variation.id))
      if (forced) return { campaign, experiment, variation: forced, holdback: false, reason: 'force' }
    }
    const first = campaign.experiments[0]
    const chosen = (config.decide && config.decide(campaign)) || { variationId: first.variations[0].id }
    if (chosen.variationId === null) {
      const reason = `Audience conditions failed for experiment: "${first.id}".`
      return { campaign, experiment: null, variation: null, holdback: Boolean(chosen.holdback), reason }
    }
    const has = (experiment) => experiment.variations.find((variation) => variation.id === chosen.variationId)
    const experiment = campaign.experiments.find(has)
    return { campaign, experiment, variation: has(experiment), holdback: Boolean(chosen.holdback) }
  }

  function record(decision, redirected) {
    const { campaign, experiment, variation } = decision
    states[campaign.id] = {
      id: campaign.id,
      campaignName: named(campaign),
      experiment: experiment && { id: experiment.id, name: named(experiment), campaignName: named(campaign) },
      allExperiments: campaign.experiments.map((each) => ({ id: each.id, name: named(each) })),
      variation: variation && { id: variation.id, name: named(variation) },
      audiences: (campaign.audiences || []).map((each) => ({ id: each.id, name: named(each) })),
      ...(decision.reason ? { reason: decision.reason } : {}),
      isActive: Boolean(variation),
      visitorRedirected: redirected,
      isInCampaignHoldback: decision.holdback,
    }
  }

  /** The name of the client's own storage, from which `get('state')` also tells of earlier pages. */
  const storageKey = `optimizely_data$$${visitorId}$$${projectId}$$layer_states`
  function persist() {
    try {
      localStorage.setItem(storageKey, JSON.stringify(states))
    } catch {
      // blocked storage: this page's decisions are all there are
    }
  }
  try {
    const earlier = parse(localStorage.getItem(storageKey)) || {}
    for (const id of Object.keys(earlier)) states[id] = { ...earlier[id], isActive: false, visitorRedirected: false }
  } catch {
    // as above
  }

  // ── Tracking: the custom analytics integration ──────────────────────────────────────────────

  function readIntegration() {
    if (!config.integration) return null
    if (typeof config.integration === 'string') return JSON.parse(config.integration)
    // The real client carries the integration inside its own file: it is there before the first
    // decision. So this is synchronous.
    const request = new XMLHttpRequest()
    request.open('GET', '/dist/optimizely-integration.json', false)
    request.send()
    return JSON.parse(request.responseText)
  }
  const integration = readIntegration()
  const body = integration && integration.options.track_layer_decision
  const defaults = Object.fromEntries(((integration && integration.form_schema) || []).map((field) => [field.name, field.default_value]))

  // In Optimizely's own file it is code, so it runs where a policy forbids eval.
  function compiled(names, body) {
    const script = document.createElement('script')
    script.textContent = `window.optimizelyStandInCode = function (${names}) {${body}\n}`
    document.documentElement.append(script)
    script.remove()
    return window.optimizelyStandInCode
  }

  function track(decision, pageId, timing, referrer) {
    if (!body || !tracks()) return
    const { campaign, experiment, variation } = decision
    const isHoldback = timing === 'postRedirectPolicy' ? false : decision.holdback
    const extension = lend({ ...defaults, ...config.extension })
    const told = { id: campaign.id, name: named(campaign), policy: campaign.policy || 'single_experiment', integrationStringVersion: 2 }
    const ids = [campaign.id, experiment && experiment.id, variation && variation.id]
    const decisionData = {
      sessionId: 'AUTO', decisionTicketAudienceIds: (campaign.audiences || []).map((each) => each.id), visitorId,
      decisionId: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()), activationId, namespace: projectId,
      timestamp: Date.now(), pageId: pageId || null, variationId: ids[2], variationName: named(variation), experimentId: ids[1],
      experimentName: named(experiment), layerId: ids[0], layerName: told.name, layerPolicy: told.policy, accountId: '20',
      projectId, revision: '7', clientName: 'js', clientVersion: '0.228.0', referrer, integrationStringVersion: 2,
      integrationSettings: {}, isLayerHoldback: isHoldback, isLayerConcluded: Boolean(campaign.concluded),
      isGlobalHoldback: false, userFeatures: [], layerStates: [], timing,
    }
    log.push({ step: 'trackLayerDecision', ids, pageId, timing })
    try {
      if (config.scope === 'guide') {
        const scope = { campaignId: Number(ids[0]), experimentId: ids[1] && Number(ids[1]), variationId: ids[2] && Number(ids[2]),
          isHoldback, campaign: lend(told), extension, state: guideState(decision) }
        compiled(Object.keys(scope), body)(...Object.values(scope))
      } else {
        const scope = { campaignId: ids[0], experimentId: ids[1], variationId: ids[2], isHoldback, campaign: lend(told), extension,
          decisionData: lend(decisionData), $: undefined }
        compiled(Object.keys(scope), body)(...Object.values(scope))
      }
    } catch (error) {
      log.push({ step: 'error', text: String(error) })
    }
  }

  /** The `state` that the published guide promises, with a decision object of `{id, name}` objects. */
  function guideState({ experiment, variation }) {
    const part = (thing) => ({ id: Number(thing.id), name: named(thing) })
    return { ...state, getDecisionObject: () => (variation ? { experiment: part(experiment), variation: part(variation) } : null) }
  }

  // ── Events ──────────────────────────────────────────────────────────────────────────────────

  function emit(type, name, data) {
    for (const { filter, handler } of [...listeners]) {
      if (filter && ((filter.type && filter.type !== type) || (filter.name && filter.name !== name))) continue
      try {
        handler({ type, name, data })
      } catch (error) {
        log.push({ step: 'error', text: String(error) })
      }
    }
  }

  function emitDecided(decision) {
    const { campaign, experiment, variation, reason } = decision
    const part = (each) => ({ id: each.id, name: named(each), variations: each.variations.map((v) => ({ id: v.id, name: named(v) })) })
    const data = {
      campaign: { id: campaign.id, name: named(campaign), policy: campaign.policy || 'single_experiment', holdback: 500,
        experiments: campaign.experiments.map(part), integrationSettings: {}, pageIds: pagesOf(campaign).map((page) => page.id),
        concluded: Boolean(campaign.concluded) },
      decisionTicket: { audienceIds: (campaign.audiences || []).map((each) => each.id), bucketingId: visitorId, globalHoldback: 0, activationId },
      decision: { campaignId: campaign.id, experimentId: experiment ? experiment.id : null, variationId: variation ? variation.id : null,
        isCampaignHoldback: decision.holdback, isLayerConcluded: Boolean(campaign.concluded), ...(reason ? { reason } : {}) },
      audiences: (campaign.audiences || []).map((each) => ({ id: each.id, name: named(each) })),
    }
    log.push({ step: 'campaignDecided', ids: [data.decision.campaignId, data.decision.experimentId, data.decision.variationId] })
    emit('lifecycle', 'layerDecided', data)
    emit('lifecycle', 'campaignDecided', lend(data))
  }

  // ── Activation ──────────────────────────────────────────────────────────────────────────────

  const pagesOf = (campaign) => pages.filter((page) => !campaign.pageIds || campaign.pageIds.includes(page.id))
  const matches = (page) => !page.path || new RegExp(page.path).test(location.pathname)

  function writeRedirect(experiment, variation) {
    const value = encodeURIComponent(JSON.stringify({ r: document.referrer, x: experiment.id, v: variation.id }))
    document.cookie = `${REDIRECT_COOKIE}=${value}; path=/; max-age=5; samesite=lax`
  }

  function activate(activating) {
    if (activating.length === 0) return
    activationId = String(Math.max(Date.now(), Number(activationId) + 1))
    for (const page of activating) activePages.add(page.id)
    // Active is what this activation decides, and what redirected the visitor here.
    for (const id of Object.keys(states)) states[id] = { ...states[id], isActive: states[id].visitorRedirected }
    for (const campaign of campaigns) {
      const on = pagesOf(campaign).filter((page) => activating.includes(page))
      if (on.length === 0) continue
      const decision = decide(campaign)
      const { experiment, variation, holdback } = decision
      const runs = variation && !holdback && !campaign.concluded
      const target = runs && variation.redirectTo && new URL(variation.redirectTo, location.href).href
      const redirects = target && target !== location.href
      record(decision, false)
      persist()
      if (!redirects) for (const page of on) track(decision, page.id, 'nonRedirectPolicy', document.referrer)
      else if (config.redirectCookie !== 'change') writeRedirect(experiment, variation)
      emitDecided(decision)
      if (redirects) {
        writeRedirect(experiment, variation)
        log.push({ step: 'redirect', target })
        location.replace(target)
        return
      }
      if (runs && variation.run) variation.run()
    }
    for (const page of activating) emit('lifecycle', 'pageActivated', { page: { id: page.id, apiName: page.apiName } })
  }

  /** On the landing page of a redirect its decision is tracked, and known to the state; no event tells of it. */
  function land() {
    const relayed = parse(cookies[REDIRECT_COOKIE])
    if (!relayed) return
    redirectInfo = { experimentId: relayed.x, variationId: relayed.v, referrer: relayed.r }
    document.cookie = `${REDIRECT_COOKIE}=; path=/; max-age=0`
    for (const campaign of campaigns) {
      const experiment = campaign.experiments.find((each) => each.id === relayed.x)
      const variation = experiment && experiment.variations.find((each) => each.id === relayed.v)
      if (!variation) continue
      const decision = { campaign, experiment, variation, holdback: false }
      record(decision, true)
      track(decision, null, 'postRedirectPolicy', relayed.r)
    }
  }

  // ── get() and push() ────────────────────────────────────────────────────────────────────────

  const filtered = (filter) => {
    const wanted = typeof filter === 'function' ? filter : (state) => Object.entries(filter || {}).every(([key, value]) => state[key] === value)
    return Object.fromEntries(Object.entries(states).filter(([, each]) => wanted(each)))
  }
  const campaignOf = (id) => campaigns.find((campaign) => campaign.id === id)
  const isPersonalization = (id) => !['single_experiment', 'multivariate'].includes((campaignOf(id) || {}).policy || 'single_experiment')
  const flat = (thing, most) => {
    const id = `(${thing.id})`
    if (!thing.name) return id
    return thing.name.length + id.length + 1 <= most ? `${thing.name} ${id}` : thing.name.slice(0, most - id.length) + id
  }

  const state = {
    getCampaignStates: (filter) => lend(filtered(filter)),
    getCampaignStateLists: (filter) => lend(Object.fromEntries(Object.entries(filtered(filter)).map(([id, each]) => [id, [each]]))),
    getExperimentStates: (filter) =>
      lend(Object.fromEntries(Object.values(filtered(filter)).filter((each) => each.experiment && !isPersonalization(each.id)).map((each) => [
        each.experiment.id,
        { id: each.experiment.id, experimentName: each.experiment.name, variation: each.variation, audiences: each.audiences, reason: each.reason,
          visitorRedirected: each.visitorRedirected, isActive: each.isActive, isInExperimentHoldback: each.isInCampaignHoldback },
      ]))),
    getVariationMap: () =>
      lend(Object.fromEntries(Object.values(states).filter((each) => each.variation).map((each) => [each.experiment.id, { ...each.variation, index: null }]))),
    getActiveExperimentIds: () => Object.values(states).filter((each) => each.isActive).map((each) => each.experiment.id),
    getPageStates: () => Object.fromEntries(pages.map((page) => [page.id, { id: page.id, apiName: page.apiName, isActive: activePages.has(page.id) }])),
    getActivationId: () => activationId,
    isGlobalHoldback: () => false,
    getRedirectInfo: () => lend(redirectInfo),
    getDecisionObject({ campaignId, maxLength = 255, shouldCleanString = false }) {
      let found = states[campaignId]
      // The trap of the real client: right after a redirect it answers for campaigns it does not know.
      if (!found && redirectInfo) found = Object.values(states).find((each) => each.visitorRedirected)
      if (!found || !found.variation) return null
      const personalization = isPersonalization(found.id)
      if (!personalization && found.isInCampaignHoldback) return null
      const clean = (text) => (shouldCleanString ? text.replace(/[^a-zA-Z0-9.~!*()']+/g, '_') : text)
      const told = { experiment: clean(flat(found.experiment, maxLength)), variation: clean(flat(found.variation, maxLength)) }
      if (personalization) Object.assign(told, { campaign: clean(flat({ id: found.id, name: found.campaignName }, maxLength)), holdback: found.isInCampaignHoldback })
      return lend(told)
    },
    getDecisionString({ campaignId }) {
      const told = state.getDecisionObject({ campaignId })
      return told ? [told.campaign, told.experiment, told.variation, told.holdback ? 'holdback' : ''].filter(Boolean).join(':') : null
    },
  }

  const mapById = (list, tell) => Object.fromEntries(list.map((each) => [each.id, { id: each.id, name: named(each), ...(tell ? tell(each) : {}) }]))
  const experiments = campaigns.flatMap((campaign) => campaign.experiments)
  const modules = {
    state,
    data: { accountId: '20', projectId, snippetId: projectId, revision: '7', clientName: 'js', clientVersion: '0.228.0',
      campaigns: mapById(campaigns, (each) => ({ policy: each.policy || 'single_experiment' })), experiments: mapById(experiments),
      variations: mapById(experiments.flatMap((each) => each.variations)), pages: mapById(pages), audiences: {}, events: {}, groups: {} },
    visitor: { visitorId, referrer: document.referrer, custom: {}, cookies: {}, queryParams: {} },
    visitor_id: { randomId: visitorId },
  }
  const edge = {
    state: {
      getActiveExperiments: () =>
        lend(Object.fromEntries(Object.values(states).filter((each) => each.isActive && each.variation && !each.isInCampaignHoldback).map((each) => [
          each.experiment.id,
          { id: each.experiment.id, ...(each.experiment.name ? { name: each.experiment.name } : {}),
            variation: { id: each.variation.id, ...(each.variation.name ? { name: each.variation.name } : {}) } },
        ]))),
    },
  }
  const answers = config.answers || Object.keys(modules)
  const client = {
    initialized: false,
    get(module) {
      if (EDGE) return edge[module]
      return answers.includes(module) ? (module === 'state' ? state : lend(modules[module])) : undefined
    },
    push(command) {
      const { type } = command || {}
      if (type === 'addListener') return listeners.push({ filter: command.filter, handler: command.handler, token: command.token })
      log.push({ step: 'push', command })
      if (type === 'removeListener') listeners.splice(0, listeners.length, ...listeners.filter((each) => each.token !== command.token))
      if (type === 'disable') trackingDisabled = true
      if (type === 'page') {
        const page = pages.find((each) => each.apiName === command.pageName)
        if (!page) throw new Error(`Page ${command.pageName} is not known`)
        if (command.isActive === false) activePages.delete(page.id)
        else activate([page])
      }
      return undefined
    },
  }

  // The commands of before are run in order; the object they were pushed to is not kept.
  const before = Array.isArray(window[NAME]) ? [...window[NAME]] : []
  window[NAME] = client
  for (const command of before) client.push(command)
  if (EDGE) {
    // Performance Edge decided on the way, before this script came.
    for (const campaign of campaigns) record(decide(campaign), false)
    const relayed = parse(cookies[REDIRECT_COOKIE])
    if (relayed) log.push({ step: 'landed', relayed })
  } else {
    land()
  }
  client.initialized = true
  emit('lifecycle', 'initialized', {})
  if (EDGE) return
  activate(pages.filter((page) => page.trigger !== 'manual' && matches(page)))
  emit('lifecycle', 'activated', {})

  // Single-page applications: pages triggered by the address are decided anew when it changes.
  const dynamic = pages.filter((page) => page.trigger === 'urlChange')
  if (dynamic.length > 0) {
    const pushState = history.pushState
    history.pushState = function (...args) {
      pushState.apply(this, args)
      for (const page of dynamic) activePages.delete(page.id)
      activate(dynamic.filter(matches))
    }
  }
})()
