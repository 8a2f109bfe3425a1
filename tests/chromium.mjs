// The system's Chromium, which playwright-core drives and does not bring.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

/** The browser as people have it. */
export const WHOLE = ['chromium', 'chromium-browser', 'google-chrome']
/** The same engine without the windows around: a fresh profile costs it a third of the time. */
export const LEAN = ['chromium-headless-shell', 'chrome-headless-shell', ...WHOLE]

export const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

/** The first of these programs that is on the machine, unless a variable names another one. */
export function program(variable, names) {
  if (process.env[variable]) return process.env[variable]
  const folders = (process.env.PATH ?? '').split(delimiter)
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error(`None of ${names.join(', ')} found: install one, or name it in the variable ${variable}`)
}

/** Starts the first of these browsers; `more` is what playwright is told besides. */
export const start = (names, more) => chromium.launch({ executablePath: program('CHROMIUM', names), args: FLAGS, ...more })
