// The stage: the customer's page in its frame. It is a real page of the same origin, so that
// reloads, redirects and leaving are real navigations; we only look at it from outside.

import { asQuery, DEFAULTS } from './tools.js'

const PAGE = '/demo/visit.html'
const LOOK_MS = 120

// What the tools and Decision Bridge keep. Cookies are shared by all ports of a host, so a
// new visitor must not cost the developer the cookies of other local sites.
const OURS =
  /^(decision-bridge|optimizely|ajs_|analytics_|persisted-queue|seg|demo_|amp_|statsig|rudder_|rl_|_*mp_|_*mpq_|_*ph_|_?avsb)/i

export class Stage {
  /** `changed()` is called whenever something new is to be seen. */
  constructor(frame, changed) {
    this.frame = frame
    this.changed = changed
    /** Pages of this visitor, oldest first: `{number, url, report, gone}`. */
    this.pages = []
    this.document = null
    this.current = null
    /** The tools that the next page has. */
    this.tools = DEFAULTS
    setInterval(() => this.look(), LOOK_MS)
    frame.addEventListener('load', () => this.look())
    // The page says hello at once, so that one which redirects before it is loaded is seen too.
    addEventListener('message', (event) => {
      if (event.source === frame.contentWindow && event.data === 'visit') this.look()
    })
  }

  /** The page that is shown now, if any. */
  get page() {
    return this.current && !this.current.gone ? this.current : null
  }

  /** Forgets the visitor: an empty frame first, so that no leaving page writes behind our back. */
  async renew() {
    await this.go('about:blank')
    for (const pair of document.cookie.split('; ')) {
      const name = pair.split('=')[0]
      if (OURS.test(name)) document.cookie = `${name}=; path=/; max-age=0`
    }
    for (const store of stores()) {
      for (const name of Object.keys(store)) if (OURS.test(name)) store.removeItem(name)
    }
    this.pages = []
    this.current = null
    this.changed()
  }

  /** Opens the customer's page with a query, without waiting for it to load. */
  open(query) {
    this.frame.contentWindow.location.assign(`${PAGE}?${query}${asQuery(this.tools)}`)
  }

  reload() {
    this.frame.contentWindow.location.reload()
  }

  /** Clicks something on the customer's page, as its visitor would. */
  click(selector) {
    this.frame.contentDocument?.querySelector(selector)?.click()
  }

  go(url) {
    return new Promise((done) => {
      this.frame.addEventListener('load', () => done(), { once: true })
      this.frame.contentWindow.location.replace(url)
    })
  }

  /** Looks at the frame: is it another page, and what does the report say now? */
  look() {
    let document, bridge
    try {
      document = this.frame.contentDocument
      bridge = this.frame.contentWindow.decisionBridge
    } catch {
      return // The page went elsewhere, where we may not look.
    }
    if (!document || document.location.pathname !== PAGE) return
    if (document !== this.document) this.arrive(document)
    if (typeof bridge?.diagnose !== 'function' || this.current.gone) return
    if (!this.current.heard) {
      this.current.heard = true
      for (const name of ['decision', 'delivered', 'dropped', 'error']) {
        // The report is complete only after the handler has returned.
        bridge.on(name, () => setTimeout(() => this.look()))
      }
    }
    this.read(bridge)
  }

  arrive(document) {
    if (this.current) this.current.gone = true
    this.document = document
    const page = { number: this.pages.length + 1, url: document.location.href, report: null, gone: false }
    this.pages.push(page)
    this.current = page
    document.addEventListener('error', ({ target }) => {
      if (!/decision-bridge\.js/.test(target.src)) return
      page.trouble = 'dist/decision-bridge.js is not there: run ./build.sh dist'
      this.changed()
    }, true)
    // The last look: what was still pending when the visitor left.
    document.defaultView.addEventListener('pagehide', () => {
      if (this.current === page) this.look()
      page.gone = true
      this.changed()
    })
    this.changed()
  }

  read(bridge) {
    try {
      // A copy without ties to the page, which may be gone when it is shown.
      this.current.report = JSON.parse(JSON.stringify(bridge.diagnose()))
    } catch (error) {
      this.current.trouble = String(error)
    }
    this.changed()
  }
}

/** The stores of this origin; asking for one can throw where storage is blocked. */
function stores() {
  try {
    return [localStorage, sessionStorage]
  } catch {
    return []
  }
}
