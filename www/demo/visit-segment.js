// The Segment snippet of the customer's page, in our own words: a stub that queues every call, then
// analytics.js from a CDN. It stands in a function, so that a page can run it late, or never.

/* exported startSegment */
function startSegment(writeKey, cdn) {
  'use strict'
  const methods = [
    'addDestinationMiddleware', 'addIntegrationMiddleware', 'addSourceMiddleware', 'alias', 'debug', 'group',
    'identify', 'off', 'on', 'once', 'page', 'pageview', 'ready', 'register', 'reset', 'screen', 'setAnonymousId',
    'track', 'trackClick', 'trackForm', 'trackLink', 'trackSubmit',
  ]
  if (window.analytics && window.analytics.invoked) return
  const stub = (window.analytics = window.analytics || [])
  stub.invoked = true
  stub.methods = methods
  stub.factory = (method) => (...args) => {
    // Code that kept the stub must reach the real object, which is another one.
    if (window.analytics.initialized) return window.analytics[method](...args)
    stub.push([method, ...args])
    return stub
  }
  for (const method of methods) stub[method] = stub.factory(method)
  stub.load = (key, options) => {
    const script = document.createElement('script')
    script.async = true
    script.setAttribute('data-global-segment-analytics-key', 'analytics')
    script.src = `${cdn}/analytics.js/v1/${key}/analytics.min.js`
    document.head.append(script)
    stub._loadOptions = options
  }
  stub._writeKey = writeKey
  // Where settings come from; for the official host this is not needed.
  stub._cdn = cdn
  stub.load(writeKey)
}
