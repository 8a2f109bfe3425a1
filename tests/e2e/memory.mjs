// The module's linear memory, which it does not export: on its way into the engine it is made to.

import { script } from './pages.mjs'

function spy() {
  const { compile, instantiate } = WebAssembly
  const EXPORTS = 7
  const number = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)])
  function withMemory(bytes) {
    const changed = [...bytes.subarray(0, 8)]
    let at = 8
    const read = () => {
      const byte = bytes[at++]
      return byte < 128 ? byte : (byte & 127) + 128 * read()
    }
    while (at < bytes.length) {
      const id = bytes[at++]
      const end = read() + at
      // One more of them: the first memory, called `$`.
      const body = id === EXPORTS ? [...number(read() + 1), ...bytes.subarray(at, end), 1, 36, 2, 0] : [...bytes.subarray(at, end)]
      changed.push(id, ...number(body.length), ...body)
      at = end
    }
    return Uint8Array.from(changed)
  }
  WebAssembly.compile = (bytes) => compile(withMemory(bytes))
  WebAssembly.instantiate = (...args) =>
    instantiate(...args).then((instance) => {
      window.moduleMemory = instance.exports.$
      return instance
    })
}

/** Has to come before our script. */
export const memorySpy = script(`(${spy})()`)

/** How large it is, in bytes; 0 for the fallback, whose memory is its own. */
export const moduleMemory = (page) => page.evaluate(() => window.moduleMemory?.buffer.byteLength ?? 0)
