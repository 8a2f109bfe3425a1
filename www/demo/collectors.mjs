// The analytics tools beside Segment, for the demo and the end-to-end tests: their own scripts from
// npm, and a collector in place of their servers that writes down what arrives.
//
//   /sdk/amplitude.js     a tool's script; the faults of /cdn go before the name: /sdk/delay-2000/…
//   /collect/amplitude/…  the server it sends to

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const SCRIPTS = {
  'amplitude.js': '@amplitude/analytics-browser/lib/scripts/amplitude-min.js',
  'mixpanel.js': 'mixpanel-browser/dist/mixpanel.min.js',
  'posthog.js': 'posthog-js/dist/array.full.no-external.js',
  'rudderstack.js': '@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js',
}

/** The source of a tool's script; nothing when there is none of that name. */
export async function toolScript(packages, name) {
  const path = Object.hasOwn(SCRIPTS, name) ? SCRIPTS[name] : undefined
  const source = path && (await readFile(join(packages, path), 'utf8'))
  // What is on npm defines a class; what RudderStack serves is the same, and makes the instance that
  // takes over from the snippet's array.
  if (name !== 'rudderstack.js') return source
  return `(function () { var exports = {}, module = { exports: exports };\n${source}\nnew exports.RudderAnalytics() })()`
}

/**
 * What a tool told its server with this request, and what the server answers; nothing for a request
 * that tells of no events.
 */
export function received(tool, path, raw) {
  const body = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw
  const text = body.toString('utf8')
  if (tool === 'amplitude') return amplitude(parse(text))
  if (tool === 'mixpanel') return mixpanel(path, text)
  if (tool === 'posthog') return posthog(path, text)
  if (tool === 'rudderstack') return rudderstack(path, parse(text))
  // What the stand-in of both sends.
  if (tool === 'ga4' || tool === 'gtm') return { events: [parse(text)], answer: {} }
  // An experiment tool: what it counts itself is none of our events.
  if (tool === 'statsig') return { events: [], answer: { success: true } }
  return undefined
}

function amplitude(body) {
  if (!Array.isArray(body?.events)) return undefined
  const counted = { code: 200, events_ingested: body.events.length, payload_size_bytes: 1, server_upload_time: Date.now() }
  return { events: body.events, answer: counted }
}

function mixpanel(path, text) {
  if (!/^(?:track|engage|groups)\b/.test(path)) return undefined
  const data = text.startsWith('data=') ? new URLSearchParams(text).get('data') : text
  const events = parse(data) ?? parse(Buffer.from(data ?? '', 'base64').toString('utf8'))
  return { events: [events].flat(), answer: { status: 1, error: null } }
}

function posthog(path, text) {
  if (path === 'flags' || path === 'decide') return { events: [], answer: { featureFlags: {}, flags: {} } }
  if (!/^(?:e|i|batch|s)\b/.test(path)) return { events: [], answer: {} }
  const data = text.startsWith('data=') ? Buffer.from(new URLSearchParams(text).get('data'), 'base64').toString('utf8') : text
  const body = parse(data)
  return { events: [body?.batch ?? body].flat(), answer: { status: 1 } }
}

function rudderstack(path, body) {
  if (path.startsWith('sourceConfig')) {
    const source = { id: 'source', name: 'source', writeKey: 'key', enabled: true, workspaceId: 'w', destinations: [], config: {} }
    return { events: [], answer: { source } }
  }
  return path.startsWith('v1/') ? { events: [body?.batch ?? body].flat(), answer: 'OK' } : undefined
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
