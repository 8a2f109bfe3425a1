// Browsers without a debugger attached, as visitors have them: a page drives itself and tells the
// server what it sees. Prerendering, hidden tabs with their slow timers, and Firefox exist only here.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serve } from '../../www/demo/server.mjs'
import { FLAGS, WHOLE, program } from '../chromium.mjs'
import { until } from './harness.mjs'
import { script } from './pages.mjs'

const PREFERENCES = {
  'browser.shell.checkDefaultBrowser': false, 'browser.aboutwelcome.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.enabled': false, 'app.normandy.enabled': false, 'browser.safebrowsing.downloads.enabled': false,
  'toolkit.telemetry.enabled': false, 'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
  'services.settings.server': 'http://127.0.0.1:9', 'extensions.update.enabled': false, 'dom.disable_open_during_load': false,
}

const BROWSERS = {
  chromium: (profile, urls, flags) => [
    program('CHROMIUM', WHOLE),
    [...FLAGS, '--disable-popup-blocking', '--no-default-browser-check', `--user-data-dir=${profile}`, ...flags, ...urls],
  ],
  firefox: (profile, urls) => [program('FIREFOX', ['firefox-esr', 'firefox']), ['--headless', '--no-remote', '--profile', profile, ...urls]],
}

/** Tells the server: `tell(name, value)`. What the page throws and rejects is told as `error`. */
export const telling = script(`const tell=(event,value)=>navigator.sendBeacon('/v1/t',JSON.stringify({event,value}));
addEventListener('error',({message})=>message&&tell('error',message));addEventListener('unhandledrejection',({reason})=>tell('error',String(reason)))`)

/**
 * A story of pages that drive themselves, once in each of these browsers, from the page under
 * `/start` on. `play` gets the server and `told(name)`: what was told under this name.
 */
export function driven(name, browsers, play, { flags = [] } = {}) {
  for (const browser of browsers) {
    test(`${name}, in ${browser}`, { timeout: 180_000 }, async () => {
      const server = await serve()
      const profile = await mkdtemp(join(tmpdir(), 'decision-bridge-'))
      const preferences = Object.entries(PREFERENCES).map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});`)
      await writeFile(join(profile, 'user.js'), preferences.join('\n'))
      const told = (event) => server.events.filter((each) => each.event === event).map(({ value }) => value)
      let child
      const world = {
        server,
        browser,
        told,
        /** Starts the browser, with a tab for each. */
        async open(...paths) {
          const [command, args] = BROWSERS[browser](profile, paths.map((path) => new URL(path, server.origin).href), flags)
          child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, HOME: profile, MOZ_HEADLESS: '1' } })
          await new Promise((started, failed) => child.once('spawn', started).once('error', failed))
        },
        /** Waits until something was told under this name, and gives it. */
        hears: (event, count = 1) => until(() => told(event).length >= count && told(event), () => `the page tells ${event}; so far: ${JSON.stringify(server.events)}`, 60_000), // a browser takes its time to start
      }
      try {
        await play(world)
        assert.deepEqual(told('error'), [])
      } finally {
        if (child) {
          const gone = new Promise((exited) => (child.exitCode === null && child.signalCode === null ? child.once('exit', exited) : exited()))
          child.kill('SIGKILL')
          await gone
        }
        await server.close()
        await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
      }
    })
  }
}
