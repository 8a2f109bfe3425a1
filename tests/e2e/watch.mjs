/**
 * Runs in each page before everything else: counts the timers we leave, and what a policy reports of
 * our attempts at WebAssembly, and notices changed prototypes.
 */
export function watch() {
  const live = new Map()
  const OURS = 'decision-bridge'
  for (const [set, clear, repeats] of [['setTimeout', 'clearTimeout', false], ['setInterval', 'clearInterval', true]]) {
    const nativeSet = window[set]
    const nativeClear = window[clear]
    window[set] = function (handler, ...rest) {
      // Whoever calls: a tool that we tell something sets timers of its own while we do.
      if (!new Error().stack.split('\n')[2].includes(OURS)) return nativeSet.call(window, handler, ...rest)
      const id = nativeSet.call(
        window,
        function () {
          if (!repeats) live.delete(id)
          return handler.apply(this, arguments)
        },
        ...rest,
      )
      live.set(id, set)
      return id
    }
    window[clear] = function (id) {
      live.delete(id)
      return nativeClear.call(window, id)
    }
  }
  let attempts = 0
  addEventListener('securitypolicyviolation', ({ blockedURI }) => {
    if (blockedURI === 'wasm-eval') attempts++
  })
  const prototypes = { Object: Object.prototype, Array: Array.prototype, Function: Function.prototype, String: String.prototype }
  const look = (prototype) => Reflect.ownKeys(prototype).map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key)])
  const before = Object.entries(prototypes).map(([name, prototype]) => [name, prototype, look(prototype)])
  const same = (one, other) => one.value === other.value && one.get === other.get && one.set === other.set
  Object.defineProperty(window, '__watch', {
    value: {
      timers: () => live.size,
      attempts: () => attempts,
      changed: () =>
        before.flatMap(([name, prototype, was]) => {
          const is = new Map(look(prototype))
          const touched = was.filter(([key, descriptor]) => !is.has(key) || !same(descriptor, is.get(key))).map(([key]) => key)
          const known = new Set(was.map(([key]) => key))
          return [...touched, ...[...is.keys()].filter((key) => !known.has(key))].map((key) => `${name}.prototype.${String(key)}`)
        }),
    },
  })
}
