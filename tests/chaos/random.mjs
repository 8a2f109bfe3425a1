// Chance that repeats itself: the same seed and visit give the same numbers, on every machine.

/** A generator of numbers for one visit of one seed. */
export function chance(seed, visit) {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(visit + 1, 0x85ebca6b)) >>> 0
  // mulberry32: 32 bits of state are plenty for some hundred numbers.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  for (let turn = 0; turn < 3; turn += 1) next()
  const between = (low, high) => low + Math.floor(next() * (high - low + 1))
  return {
    /** True in so many of one cases. */
    once: (share) => next() < share,
    /** A whole number, both ends included. */
    between,
    /** One of a list. */
    of: (list) => list[between(0, list.length - 1)],
    /** One of the names of `{name: weight}`. */
    weighed(weights) {
      const names = Object.keys(weights)
      let left = next() * names.reduce((sum, name) => sum + weights[name], 0)
      return names.find((name) => (left -= weights[name]) < 0) ?? names[0]
    },
  }
}
