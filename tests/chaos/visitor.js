// Runs first in every page of a visit: gives the page its clock and its storage, does what the plan
// says, and sends the report home when the page is left. Inlined by page.mjs behind `chaos`, the
// page's part of the plan.
{
  const { haste, epoch, clock, storage, recipe: isRecipe, decisions, actions, id } = chaos

  // The page's clocks and timers run `haste` times as fast, as on a device that is so much slower.
  const NativeDate = Date
  const nativeNow = NativeDate.now
  const nativeSteady = performance.now.bind(performance)
  const now = () => Math.floor(epoch + (nativeNow() - epoch) * haste + clock)
  window.Date = new Proxy(NativeDate, {
    construct: (target, args, self) => Reflect.construct(target, args.length ? args : [now()], self),
    get: (target, name) => (name === 'now' ? now : target[name]),
  })
  performance.now = () => nativeSteady() * haste
  for (const name of ['setTimeout', 'setInterval']) {
    const native = window[name]
    window[name] = (handler, ms, ...args) => native(handler, (ms || 0) / haste, ...args)
  }

  if (storage === 'denied') {
    const get = () => {
      throw new DOMException('denied', 'SecurityError')
    }
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get })
  } else if (storage !== 'fine') {
    const { setItem } = Storage.prototype
    Storage.prototype.setItem = function (name, value) {
      // Not Segment's own: analytics.js itself does not start where storage is full.
      if (!name.startsWith('decision-bridge')) return setItem.call(this, name, value)
      if (storage === 'full') throw new DOMException('full', 'QuotaExceededError')
    }
  }

  let sent = 0
  const report = () => {
    const bridge = window.decisionBridge
    const told = bridge && bridge.diagnose ? bridge.diagnose() : { state: 'absent' }
    navigator.sendBeacon(`/report?page=${id}&turn=${(sent += 1)}`, JSON.stringify(told))
  }
  addEventListener('pagehide', report)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && report())
  chaos.report = report

  function decide(number) {
    const { entrance, campaignId, experimentId, variationId, userId } = decisions[number]
    // By the name of the campaign one sees at the collector which decision it was.
    const campaignName = `#${number}`
    const campaign = { id: campaignId, name: campaignName, policy: 'single_experiment' }
    if (isRecipe) {
      recipe(campaignId, experimentId, variationId, false, campaign, {}, { getDecisionObject: () => null })
    } else if (entrance === 'trackDecision') {
      decisionBridge.push([entrance, { campaignId, campaignName, experimentId, variationId, userId }])
    } else {
      decisionBridge.push([entrance, { campaignId, experimentId, variationId, isHoldback: false, campaign }])
    }
  }

  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  async function until(condition) {
    // What never comes is not waited for longer than a visitor would.
    for (let waited = 0; !condition() && waited < 4000; waited += 40) await later(40)
  }
  const verbs = {
    decide,
    wait: later,
    running: () => until(() => isRecipe || decisionBridge.diagnose?.().state === 'running'),
    ready: () => until(() => window.analytics?.initialized === true),
    consent(granted) {
      if (!isRecipe) decisionBridge.push(['consent', granted])
      if (granted && chaos.onConsent) chaos.onConsent()
    },
    leave(how, to) {
      report()
      if (how === 'reload') location.reload()
      else if (how === 'close') console.debug('chaos: close')
      else if (how === 'link') Object.assign(document.createElement('a'), { href: to }).click()
      else location[how](to)
    },
    async stay() {
      // Whoever comes back comes a minute later: by then a script that is late is there.
      await verbs.running()
      console.debug('chaos: stay')
    },
  }
  // What needs no waiting happens in one task: that is when a page is left right after a decision.
  chaos.start = async () => {
    for (const [verb, ...args] of actions) {
      const done = verbs[verb](...args)
      if (done) await done
    }
  }
}
