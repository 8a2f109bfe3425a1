// Small helpers to build the page. Text from outside always goes in as text, never as markup.

/** A new element: `el('p', {class: 'soft'}, 'text', otherElement)`. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children.filter((child) => child !== undefined && child !== null))
  return node
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id)

/** Sets text only when it is another: screen readers announce each change, and selections survive. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text
}

/** Sets a data attribute only when it is another. */
export function mark(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value
}

/**
 * Brings the children of a list in line with the items: one child per key, made by `make(item)` and
 * renewed when `sign(item)` changes. What did not change stays the same node.
 */
export function renew(list, items, { key, sign, make }) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]))
  let before = null
  for (const item of items) {
    const name = key(item)
    const signature = sign(item)
    let child = known.get(name)
    if (!child || child.dataset.sign !== signature) {
      const open = child ? [...child.querySelectorAll('details')].map((it) => it.open) : []
      const fresh = make(item)
      fresh.dataset.key = name
      fresh.dataset.sign = signature
      if (!child) fresh.classList.add('fresh')
      for (const [at, details] of [...fresh.querySelectorAll('details')].entries()) {
        if (at in open) details.open = open[at]
      }
      child?.replaceWith(fresh)
      child = fresh
    }
    known.delete(name)
    const wanted = before ? before.nextSibling : list.firstChild
    if (wanted !== child) list.insertBefore(child, wanted)
    before = child
  }
  for (const gone of known.values()) gone.remove()
}

/** Milliseconds in words: `340 ms`, `2.1 s`. */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  return ms < 100000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60000)} min`
}

/** The time of day with milliseconds: `14:02:11.123`. */
export function clock(at) {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return String(at)
  const two = (number) => String(number).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}
