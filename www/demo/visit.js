// The customer's page, as the story in its address wants it:
//   page     home (where the experiment runs), bag, new (the landing page of the redirect)
//   test     which experiment runs: hero, redirect, holdback, none, own (not Optimizely's)
//   segment  how analytics.js behaves: ok, slow, late (its snippet comes 2 s late), hang, blocked, key (no snippet)
//   again    Optimizely tells the same decision more than once
//   sources, destinations   which tools are on the page (see visit-tools.js): Optimizely and Segment
(function () {
  'use strict'
  const WRITE_KEY = 'DEMO_WRITE_KEY'
  const query = new URLSearchParams(location.search)
  const one = (name, otherwise) => query.get(name) || otherwise
  const page = one('page', 'home')
  const test = one('test', 'hero')
  const segment = one('segment', 'ok')
  const root = document.documentElement
  root.dataset.page = page
  if (parent !== window) parent.postMessage('visit', location.origin)
  const cdn = (fault) => `${location.origin}/cdn${fault ? `/${fault}` : ''}`

  // ── The experiments of this site ────────────────────────────────────────────────────────────
  const hero = {
    id: '5311042897612801',
    name: 'Home page',
    policy: 'single_experiment',
    experiments: [{
      id: '5311042897612802',
      name: 'Hero headline',
      variations: [
        { id: '5311042897612804', name: 'Warm light', run: () => (root.dataset.hero = 'warm') },
        { id: '5311042897612803', name: 'Original' },
      ],
    }],
  }
  const members = {
    id: '4698250113351680',
    name: 'Members first',
    policy: 'random',
    audiences: [{ id: '4698250113351681', name: 'Members' }],
    experiments: [{
      id: '4698250113351682',
      name: 'Early access note',
      variations: [{ id: '4698250113351683', name: 'Show note' }],
    }],
  }
  const landing = {
    id: '6120037755420672',
    name: 'Autumn landing page',
    policy: 'single_experiment',
    experiments: [{
      id: '6120037755420673',
      name: 'Autumn redirect',
      variations: [{ id: '6120037755420674', name: 'New collection page', redirectTo: '?page=new&test=redirect' }],
    }],
  }

  const running = { hero: [hero], holdback: [hero, members], redirect: [landing] }
  const { sources, destinations } = visitTools
  const site = { id: '1', apiName: 'home', trigger: 'urlChange' }
  window.optimizelyStandIn = sources.has('optimizelyWeb') && {
    projectId: '21',
    campaigns: running[test] || [],
    // The landing page only receives the redirect; it does not decide again.
    pages: [page === 'new' ? { ...site, trigger: 'manual' } : site],
    decide: (campaign) => ({
      variationId: campaign.experiments[0].variations[0].id,
      holdback: test === 'holdback',
    }),
  }

  // ── Segment, and the other destinations ─────────────────────────────────────────────────────
  const start = {
    ok: () => startSegment(WRITE_KEY, cdn()),
    slow: () => startSegment(WRITE_KEY, cdn('delay-2000')),
    hang: () => startSegment(WRITE_KEY, cdn('hang')),
    // As a tag manager adds it: after the page.
    blocked: () => addEventListener('load', () => setTimeout(() => startSegment(WRITE_KEY, cdn('blocked')), 500)),
    late: () => setTimeout(() => startSegment(WRITE_KEY, cdn()), 2000),
    key: () => {},
  }
  const begin = start[segment] || start.ok
  if (destinations.has('segment')) begin()
  visitTools.startDestinations()

  // ── Decision Bridge: the line to paste ──────────────────────────────────────────────────────
  const options = { qaSignals: { params: ['team_qa'], cookies: [] } }
  if (segment === 'key') Object.assign(options, { writeKey: WRITE_KEY, cdnUrl: cdn() })
  // Google's tools look like any dataLayer: they are used only where they are named.
  if (destinations.has('ga4') || destinations.has('gtm')) options.destinations = [...destinations]
  window.decisionBridge = window.decisionBridge || []
  decisionBridge.push(['init', options])

  // ── What else a site does ───────────────────────────────────────────────────────────────────
  // The other experiments run where Optimizely's does. They come last, as from a tag manager: OpenFeature
  // and A vs B keep nothing for who comes after them.
  if (page === 'home' && test === 'hero') addEventListener('load', visitTools.startSources)

  // Whoever walks through this shop keeps its tools.
  addEventListener('DOMContentLoaded', () => {
    for (const link of document.querySelectorAll('a[href^="?"]')) {
      for (const name of ['sources', 'destinations']) if (query.has(name)) link.search += `&${name}=${query.get(name)}`
    }
  })

  // A test of the site's own: no tool, one call.
  if (test === 'own') {
    root.dataset.hero = 'warm'
    decisionBridge.push(['trackDecision', {
      experimentKey: 'hero-headline',
      experimentName: 'Hero headline (our own test)',
      variationKey: 'warm-light',
      variationName: 'Warm light',
      source: 'own-test',
    }])
  }

  // The analytics integration tells what the event tells too, and a change of the address makes
  // Optimizely decide anew. Nobody saw anything new.
  if (query.has('again')) {
    addEventListener('load', () => {
      const [experiment] = hero.experiments
      decisionBridge.push(['trackLayerDecision', {
        campaignId: hero.id,
        experimentId: experiment.id,
        variationId: experiment.variations[0].id,
        isHoldback: false,
        campaign: { id: hero.id, name: hero.name, policy: hero.policy },
        extension: {},
      }])
      setTimeout(() => history.pushState({}, '', `${location.pathname}?page=home&view=oak`), 700)
    })
  }
})()
