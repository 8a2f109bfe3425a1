// Stands in for A vs B's snippet, which is hosted only, as its documentation describes it: the
// global window.avsb with its one callback, the dataLayer where the GTM integration is on, exposures
// and conversions through both. Configured by window.avsbStandIn before it loads:
//   experiments  [{id, name, variations: [{id, name}]}]; the visitor gets the last variation
//   gtm          push to the dataLayer too; a text is the event name set in the integration
//   callback     false: the snippet in question calls no onEvent
//   consent      wait for avsb.init()
//   again        tell of an exposure on every page, not once per visitor and experiment
//   replace      put a new object in the place of window.avsb, and copy what was there
{
  const config = window.avsbStandIn || {}
  const COOKIE = '_avsb_visitor'
  const cookie = () => (document.cookie.match(`(?:^|; )${COOKIE}=([^;]*)`) || [])[1]
  let started = false

  const emit = (experiment, variation, name, revenue) => {
    const event = {
      experiment_id: experiment.id,
      experiment_name: experiment.name,
      variation_id: variation.id,
      variation_name: variation.name,
      event_name: name,
    }
    if (config.callback !== false && typeof window.avsb.onEvent === 'function') {
      window.avsb.onEvent(revenue === undefined ? event : { ...event, revenue })
    }
    if (config.gtm) {
      window.dataLayer = window.dataLayer || []
      window.dataLayer.push({ event: config.gtm === true ? 'avsb_experiment' : config.gtm, ...event, revenue: revenue ?? null })
    }
  }
  const variationOf = (experiment) => experiment.variations[experiment.variations.length - 1]

  const api = {
    init() {
      if (started) return
      started = true
      if (!cookie()) document.cookie = `${COOKIE}=v_${Math.random().toString(36).slice(2)}; path=/`
      for (const experiment of config.experiments || []) {
        const name = `avsb_exposed_${experiment.id}`
        if (localStorage.getItem(name) && !config.again) continue
        localStorage.setItem(name, '1')
        emit(experiment, variationOf(experiment), 'experiment_viewed')
      }
    },
    disable() {
      started = false
    },
    track: {
      event(shortId, { revenue } = {}) {
        for (const experiment of config.experiments || []) emit(experiment, variationOf(experiment), `metric_${shortId}`, revenue)
      },
      segment() {},
    },
    getVisitorId: () => cookie() || '',
    getVariation: (id) => {
      const experiment = (config.experiments || []).find((each) => each.id === id)
      return experiment ? variationOf(experiment).id : null
    },
    forceVariation() {},
  }
  window.avsb = config.replace ? { ...window.avsb, ...api } : Object.assign(window.avsb || {}, api)
  if (!config.consent) api.init()
}
