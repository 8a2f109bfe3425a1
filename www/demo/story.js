// Plays a story: a new visitor, the page, what the visitor does, and in the end the claims.

import { DEFAULTS } from './tools.js'

const LOOK_MS = 100
const PATIENCE_MS = 20000
const EYES_MS = 900
// "One event, not two" is only known after the second one had time to come.
const QUIET_MS = 1500

export class Story {
  /** `tell({story, say, claims, over})` is called at each step; `view()` gives what is known now. */
  constructor({ stage, collector, view, tell }) {
    Object.assign(this, { stage, collector, view, tell })
    this.turn = 0
  }

  async play(story) {
    const turn = ++this.turn
    const still = () => turn === this.turn
    const tell = (say, over = false) => still() && this.tell({ story, say, claims: this.check(story, over), over })
    tell('A new visitor opens the page.')
    this.collector.clear([this.view().report?.ids?.anonymousId])
    this.stage.tools = story.tools ?? DEFAULTS
    await this.stage.renew()
    if (!still()) return
    this.collector.clear()
    this.stage.open(story.open)
    for (const { say, when, act } of story.acts) {
      if (act) {
        await this.until(still, () => when(this.view()))
        tell(say)
        await pause(EYES_MS)
        if (still()) act(this.stage)
      } else {
        tell(say)
        await this.until(still, () => when(this.view()))
      }
      if (!still()) return
    }
    // Arrived is not yet confirmed: the report has to come to rest too.
    await this.until(still, () => this.holds(story) && this.view().waiting.length === 0)
    tell(story.acts.at(-1)?.say ?? 'The decision is on its way.')
    await pause(QUIET_MS)
    tell(this.holds(story) ? 'As promised.' : 'Not as promised. The raw report below tells more.', true)
  }

  /** The visitor takes over: no story plays any more. */
  stop() {
    this.turn++
  }

  holds(story) {
    return story.claims.every(([, holds]) => holds(this.view()))
  }

  /** Each claim with what is known of it: true, false once the story is over, else open. */
  check(story, over) {
    return story.claims.map(([text, holds]) => {
      const now = Boolean(holds(this.view()))
      return { text, state: now ? 'true' : over ? 'false' : 'open' }
    })
  }

  async until(still, condition) {
    const end = Date.now() + PATIENCE_MS
    while (still() && Date.now() < end && !condition()) await pause(LOOK_MS)
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms))
