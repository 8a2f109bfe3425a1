// Stands in for gtag.js and Google Tag Manager, which are hosted only. It reads the dataLayer as they do,
// what was there before included: gtag.js takes calls, which are `arguments`, and Tag Manager takes objects
// with an event. What each would send goes to the local collector.
if (!window.googleStandIn) {
  window.googleStandIn = true
  const { destinations } = visitTools
  const client = (localStorage.demo_google ||= crypto.randomUUID())
  const layer = (window.dataLayer = window.dataLayer || [])
  const push = layer.push

  const send = (tool, event) => {
    if (!destinations.has(tool)) return
    fetch(`/collect/${tool}`, { method: 'POST', keepalive: true, body: JSON.stringify({ client_id: client, ...event }) })
  }

  const read = (entry) => {
    if (Object.prototype.toString.call(entry) === '[object Arguments]') {
      if (entry[0] === 'event') send('ga4', { name: entry[1], params: entry[2] })
    } else if (entry?.event) send('gtm', entry)
  }

  layer.push = (...entries) => {
    for (const entry of entries) read(entry)
    return push.apply(layer, entries)
  }
  for (const entry of [...layer]) read(entry)
}
