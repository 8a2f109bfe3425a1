// The local world of the demo and the end-to-end tests: our files, a Segment CDN with the real
// analytics.js from npm, and a collector in place of Segment's servers. Nothing leaves this machine.
//
// What goes wrong on the way is chosen by the path, so that one server serves all faults at once:
//   /cdn/…               analytics.js as it should be
//   /cdn/delay-2000/…    its script comes two seconds late
//   /cdn/blocked/…       its script is a 404, as behind an ad blocker
//   /cdn/hang/…          its script is not answered, until the test calls `release()`
//   /cdn/settings-fail/… its script comes, its settings do not
//   /cdn/old/…           analytics-next 1.67, which does not know the option `messageId`
// The SDKs of the experiment tools are under /packages/, by their names on npm.
// The other analytics tools are in collectors.mjs.

import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { received, toolScript } from './collectors.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PACKAGES = join(ROOT, 'tests/node_modules')
const UMD = { current: '@segment/analytics-next/dist/umd', old: 'analytics-next-1.67/dist/umd' }
const FAULT = /^(?:delay-(\d+)|blocked|hang|settings-fail|old)$/
const KINDS = { t: 'track', i: 'identify', p: 'page', g: 'group', a: 'alias', s: 'screen' }
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
}

/** Starts the server; port 0 takes any free one. */
export async function serve({ port = 0, host = '127.0.0.1' } = {}) {
  const watchers = new Set()
  const held = new Set()
  const sockets = new Set()
  const world = {
    origin: '',
    /** What the collector accepted, in the order it came. */
    events: [],
    /** The events of the requests that it refused. */
    refused: [],
    /** What the other tools told their servers, in the order it came, as `{tool, body, receivedAt}`. */
    told: [],
    /** Every request, as `{method, path, at}`. */
    requests: [],
    /** Pages of a test: path → HTML, or `{html, headers, status}`, or a function of the URL and the request that gives either. */
    pages: new Map(),
    /** The Content-Security-Policy of a page, of the one it was put there with. */
    policy: (own) => own,
    /** How the collector misbehaves. `loseAnswers`: it takes the event, and the line breaks before it can say so. */
    ingestion: { delayMs: 0, status: 200, loseAnswers: false },
    /** The accepted events, a repeated messageId counted once, as Segment does. */
    unique: () => [...new Map([...world.events].reverse().map((event) => [event.messageId, event])).values()].reverse(),
    /** Answers the scripts that hang. */
    release() {
      for (const answer of held) answer()
      held.clear()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((closed) => server.close(closed))
    },
  }

  function accept(event) {
    world.events.push(event)
    show({ tool: 'segment', body: event, receivedAt: event.receivedAt })
  }

  /** What arrived anywhere, to whoever watches. */
  function show(arrival) {
    for (const watcher of watchers) watcher.write(`data: ${JSON.stringify(arrival)}\n\n`)
  }

  async function answer(request, response) {
    const url = new URL(request.url, world.origin)
    world.requests.push({ method: request.method, path: url.pathname + url.search, at: Date.now() })
    response.setHeader('cache-control', 'no-store')
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('cross-origin-resource-policy', 'cross-origin')
    const page = world.pages.get(url.pathname)
    if (page !== undefined) return sendPage(response, typeof page === 'function' ? await page(url, request) : page, world.policy)
    if (url.pathname === '/') return sendFile(response, join(ROOT, 'www/demo/index.html'), world.policy)
    if (url.pathname === '/favicon.ico') return send(response, 204)
    const [, first, ...rest] = url.pathname.split('/').map(decode)
    const path = rest.join('/')
    if (first === 'demo') return sendFile(response, inside(join(ROOT, 'www/demo'), path || 'index.html'), world.policy)
    if (first === 'dist') return sendFile(response, inside(join(ROOT, 'dist'), path))
    if (first === 'npm') return sendFile(response, inside(join(PACKAGES, UMD.current), path))
    if (first === 'packages') return sendFile(response, inside(PACKAGES, path))
    if (first === 'cdn') return cdn(request, response, rest)
    if (first === 'sdk') return sdk(response, rest)
    if (first === 'collect') return collectFor(rest[0], rest.slice(1).join('/'), request, response)
    if (first === 'v1') return collect(request, response, rest[0])
    if (first === 'events') return watch(request, response)
    if (first === 'events.json') return sendJson(response, world.events)
    return send(response, 404, 'not found')
  }

  /** Takes the faults off the front of a path. */
  function faultsOf(path) {
    const faults = new Set()
    let delayMs = 0
    while (FAULT.test(path[0])) {
      const fault = path.shift()
      delayMs += Number(FAULT.exec(fault)[1] ?? 0)
      faults.add(fault)
    }
    return { faults, delayMs }
  }

  /** Waits as a script's faults say. */
  async function suffer({ faults, delayMs }) {
    if (faults.has('hang')) await new Promise((released) => held.add(released))
    if (delayMs > 0) await new Promise((elapsed) => setTimeout(elapsed, delayMs))
  }

  async function sdk(response, path) {
    const given = faultsOf(path)
    await suffer(given)
    const source = given.faults.has('blocked') ? undefined : await toolScript(PACKAGES, path.join('/'))
    if (source === undefined) return send(response, 404, 'not found')
    response.writeHead(200, { 'content-type': TYPES['.js'] })
    response.end(source)
  }

  /** The server of another tool than Segment; a request of a kind it knows is told of in `world.told`. */
  async function collectFor(tool, path, request, response) {
    response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*')
    response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS')
    if (request.headers.origin) response.setHeader('access-control-allow-origin', request.headers.origin)
    response.setHeader('access-control-allow-credentials', 'true')
    if (request.method === 'OPTIONS') return send(response, 204)
    const raw = await readBody(request)
    const { delayMs, status, loseAnswers } = world.ingestion
    const came = received(tool, path, raw)
    const counts = came?.events.length > 0
    if (counts && delayMs > 0) await new Promise((elapsed) => setTimeout(elapsed, delayMs))
    if (counts && status >= 400) return send(response, status, 'the collector refuses')
    const receivedAt = Date.now()
    for (const body of came?.events ?? []) {
      world.told.push({ tool, body, receivedAt })
      show(world.told.at(-1))
    }
    if (counts && loseAnswers) return request.socket.destroy()
    return came ? sendJson(response, came.answer) : send(response, 404, 'not found')
  }

  async function cdn(request, response, path) {
    const given = faultsOf(path)
    const { faults } = given
    const umd = join(PACKAGES, faults.has('old') ? UMD.old : UMD.current)
    const [kind, version, key] = path
    if (kind === 'analytics.js' && version === 'v1') {
      await suffer(given)
      if (faults.has('blocked')) return send(response, 404, 'blocked')
      return sendFile(response, join(umd, 'standalone.js'))
    }
    if (kind === 'analytics-next' && version === 'bundles') {
      return sendFile(response, inside(umd, path.slice(2).join('/')))
    }
    if (kind === 'v1' && version === 'projects' && path[3] === 'settings') {
      if (faults.has('settings-fail')) return send(response, 500, 'settings are not available')
      const apiHost = `${request.headers.host}/v1`
      return sendJson(response, {
        metrics: { sampleRate: 0 },
        integrations: { 'Segment.io': { apiKey: key, apiHost, protocol: 'http' } },
      })
    }
    return send(response, 404, 'not found')
  }

  async function collect(request, response, kind) {
    response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*')
    response.setHeader('access-control-allow-methods', 'POST, OPTIONS')
    if (request.method !== 'POST') return send(response, 204)
    const text = (await readBody(request)).toString('utf8')
    const { delayMs, status, loseAnswers } = world.ingestion
    if (delayMs > 0) await new Promise((elapsed) => setTimeout(elapsed, delayMs))
    let body
    try {
      body = JSON.parse(text)
    } catch {
      return send(response, 400, 'the body is not JSON')
    }
    const receivedAt = Date.now()
    const told = kind in KINDS ? [{ type: KINDS[kind], ...body }] : kind === 'b' || kind === 'batch' ? body.batch ?? [] : []
    if (status >= 400) {
      world.refused.push(...told)
      return send(response, status, 'the collector refuses')
    }
    for (const event of told) accept({ ...event, receivedAt })
    if (loseAnswers) return request.socket.destroy()
    return sendJson(response, { success: true })
  }

  function watch(request, response) {
    if (request.method === 'DELETE') {
      world.events.length = world.told.length = 0
      return send(response, 204)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(': the collector is listening\n\n')
    watchers.add(response)
    response.on('close', () => watchers.delete(response))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (!response.headersSent) send(response, 500, String(error?.message ?? error))
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise((listening, failed) => {
    server.once('error', failed)
    server.listen(port, host, listening)
  })
  world.origin = `http://${host}:${server.address().port}`
  return world
}

function send(response, status, text = '') {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}

function sendJson(response, value) {
  response.writeHead(200, { 'content-type': TYPES['.json'] })
  response.end(JSON.stringify(value))
}

function sendPage(response, page, policy) {
  const { html, status = 200, headers = {} } = typeof page === 'string' ? { html: page } : page
  const rule = policy(headers['content-security-policy'])
  response.writeHead(status, { 'content-type': TYPES['.html'], ...headers, ...(rule && { 'content-security-policy': rule }) })
  response.end(html)
}

async function sendFile(response, path, policy) {
  let content
  try {
    content = await readFile(path ?? '')
  } catch {
    return send(response, 404, 'not found')
  }
  const rule = extname(path) === '.html' && policy?.()
  if (rule) response.setHeader('content-security-policy', rule)
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
  response.end(content)
}

/** The file of that name in the folder, and none outside of it. */
function inside(folder, name) {
  const path = normalize(join(folder, name))
  return path.startsWith(normalize(folder + '/')) ? path : undefined
}

function decode(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function readBody(request) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function main() {
  const port = Number(process.env.PORT || 8080)
  try {
    const { origin } = await serve({ port })
    console.log(`Decision Bridge demo: ${origin}`)
  } catch (error) {
    const why = error.code === 'EADDRINUSE' ? `Port ${port} is taken: choose another one with PORT=…` : error.message
    console.error(why)
    process.exitCode = 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
