// G. Configuration and abuse
export default [
  ['G01', ['www/options.js', '/^[\\w-]{1,128}$/', '/\\S/']],
  // A faulty value stands.
  ['G02', ['www/option.js', '  if (taken !== undefined) return taken;', '  return taken ?? value;']],
  ['G02', ['www/decision-bridge.js', 'attempt(() => JSON.parse(text ?? "{}"))', 'JSON.parse(text ?? "{}")']],
  // What is copied field by field may set what it inherits from.
  ['G03', ['www/option.js', 'const given = asksNothing(value) ? {} : value;', 'const given = Object.assign({}, value);']],
  ['G03', ['www/option.js', 'const given = asksNothing(value) ? {} : value;', `
    const merge = (to, from) => {
      for (const key of keys(from)) to[key] = isObject(from[key]) ? merge(to[key] ?? {}, from[key]) : from[key];
      return to;
    };
    const given = asksNothing(value) ? {} : merge({}, value);`]],
  ['G04', ['www/read.js', 'return found === COMMON[name] ? undefined : found;', 'return found;']],
  ['G04', ['www/decision.js', '{ __proto__: null, source,', '{ source,']],
  ['G04', ['www/spelling.js', '    __proto__: null, // what a polluted prototype lends is no field\n', '']],
  ['G05', ['www/options.js', '/^(https:\\/\\/[\\w[]|http:\\/\\/(localhost|127(\\.1?\\d?\\d){3}|\\[::1])(?![^:/]))[\\w.:\\]/%~+=,-]{0,400}$/', '/^(https?:)?\\/\\//']],
  // An element of that name hides our own tag.
  ['G06', ['www/decision-bridge.js', 'getter.call(document)', 'document.currentScript']],
  ['G06', ['www/decision-bridge.js', 'getter.call(document)', 'document.currentScript'], ['www/decision-bridge.js', 'return element instanceof HTMLScriptElement && element;', 'return element;']],
  ['G06', ['www/decision-bridge.js', 'getter.call(document)', 'document.querySelector("script[data-write-key]") || getter.call(document)']],
  ['G06', ['www/destinations/segment.js', '  document.head.appendChild(script);\n  const stub = (window.analytics = []);\n', '  const stub = (window.analytics = []);\n  document.head.appendChild(script);\n']],
  ['G06', ['www/read.js', 'text(all).slice', 'String(all || "").slice']],
  ['G06', ['www/bridge.js', 'document.prerendering === true) return;', 'document.prerendering) return;']],
  ['G06', ['www/decision-bridge.js', 'attempt(() => target.addEventListener(event, (told) => void attempt(() => handler(told)), true));', 'target.addEventListener(event, (told) => void attempt(() => handler(told)), true);']],
  ['G07', ['www/decision-bridge.js', '  on(window, "load", look);', '  on(window, "load", look);\n  on(window, "message", ({ data }) => isList(data) && bridge.push(data));']],
  // A panel that shows each step.
  ['G08', ['www/report.js', '      log(id, (decision.experimentName', '      attempt(() => document.body.insertAdjacentHTML("beforeend", "<p>" + decision.experimentName));\n      log(id, (decision.experimentName']],
  ['G08', ['www/demo/dom.js', 'node.append(...children.filter((child) => child !== undefined && child !== null))', "for (const child of children) if (child) child instanceof Node ? node.append(child) : node.insertAdjacentHTML('beforeend', child)"]],
  ['G09', ['www/bridge.js', 'report.debug = options.debug;', 'report.debug = options.debug || /[?&]debug=true/.test(location.search);']],
  ['G09', ['www/bridge.js', '(!options.requireConsent || asked ?', '(!options.requireConsent || asked || /[?&]consent=true/.test(location.search) ?']],
  ['G09', ['www/decision-bridge.js', 'tag.getAttribute("data-" + name)', 'tag.getAttribute("data-" + name) ?? new URLSearchParams(location.search).get("data-" + name)']],
  ['G10', ['www/bridge.js', 'location.origin + location.pathname', 'location.href']],
]
