// C. What a decision may be
const DIGITS_LOST = '  if (typeof value === "number" && Math.abs(value) >= 2 ** 53) mistakes.push(fault(who, field, value, "a string: beyond 2^53 numbers lose digits"));\n'
const TEXTS_ONLY = '(/^(string|number|bigint)$/.test(typeof value) ? String(value) : "")'
const ANY_TEXT = '(value === undefined || value === null ? "" : String(value))'
const SAFE_LOOK = `  return attempt(() => {
    const found = value[name];
    return found === COMMON[name] ? undefined : found;
  });`

export default [
  ['C01', ['www/decision.js', DIGITS_LOST, '']],
  ['C01', ['www/decision.js', 'fill(decision, name, value);', 'fill(decision, name, Number(value) || value);']],

  ['C02', ['www/read.js', '/^(string|number|bigint)$/', '/^(string|number)$/']],
  ['C02', ['www/decision.js', 'fill(decision, name, value);', 'fill(decision, name, typeof value === "bigint" ? Number(value) : value);']],

  ['C03', ['www/decision.js', '  if (!good) return fault(who, field, value, "a string or a number that is not empty");\n', '']],
  ['C03', ['www/decision.js', 'typeof value === "number" ? Number.isFinite(value) : text(value)', 'text(value)']],
  ['C03', ['www/decision.js', ': text(value);', ': value === "" || text(value);']],
  ['C03', ['www/sources/optimizely-web.js', '!place || (place === 1 && id === undefined)', 'false']],

  ['C04', ['www/read.js', TEXTS_ONLY, ANY_TEXT]],
  // Then it is no text, and the decision goes on without it.
  ['C04', ['www/decision.js', ': text(value);', ': true;']],

  ['C05', ['www/read.js', SAFE_LOOK, '  const found = value[name];\n  return found === COMMON[name] ? undefined : found;']],
  ['C05', ['www/read.js', 'attempt(() => Array.isArray(value))', 'Array.isArray(value)']],
  ['C05', ['www/read.js', 'attempt(() => Object.keys(value).slice(0, 1000))', 'Object.keys(value).slice(0, 1000)']],
  ['C05', ['www/sources/optimizely-web.js', '(client = get(window, "optimizely"))', '(client = window.optimizely)']],

  ['C06', ['www/sources/optimizely-web.js', 'ask(state, "getDecisionObject", { campaignId })', 'state?.getDecisionObject?.({ campaignId })']],
  ['C06', ['www/read.js', 'attempt(() => value?.[method]?.(...args))', 'value?.[method]?.(...args)']],

  ['C07', ['www/sources/optimizely-web.js', '[get(object, kind), get(known, kind)]', '[object === undefined ? undefined : object[kind], get(known, kind)]']],
  ['C07', ['www/sources/optimizely-web.js', 'decision.isHoldback && object !== null', 'decision.isHoldback']],

  ['C08', ['www/sources/optimizely-web.js', ' : !isComplete(decision) && "no variation"', ' : ""']],
  ['C08', ['www/sources/optimizely-web.js', '!place || (place === 1 && id === undefined)', 'true']],
  ['C08', ['www/sources/direct.js', '  unexposed(decision, !variationOf(decision) && "no variation");\n', '']],

  ['C09', ['www/decision.js', 'decision[name] = cut(whole);', 'decision[name] = whole;']],
  ['C09', ['www/decision.js', '  if (decision[name] !== whole) decision.shortened = true;\n', '']],

  ['C10', ['www/read.js', '[...text.slice(0, 2 * most)].slice(0, most).join("")', 'text.slice(0, most)']],
  // As UTF-8 all halves are the same.
  ['C10', ['www/core.js', 'for (let at = 0; at < all.length; at++) api.letter(all.charCodeAt(at));', 'for (const byte of new TextEncoder().encode(all)) api.letter(byte);']],

  ['C11', ['www/read.js', TEXTS_ONLY, ANY_TEXT]],

  // Nothing protects but that we do nothing to them.
  ['C12', ['www/decision.js', 'const whole = text(value);', 'const whole = text(value).replace(/[\\u0000-\\u001f<>]/g, "");']],

  ['C13', ['www/read.js', 'return Object.fromEntries(good);', 'const all = {};\n  for (const [key, found] of good) all[key] = found;\n  return all;']],
  ['C13', ['www/spelling.js', '{ ...options.properties, ...decision.properties }', 'Object.assign({}, options.properties, decision.properties)']],

  ['C14', ['www/core.js', 'texts.map((text) => text.length + ":" + text).join("")', 'texts.join(":")']],
  ['C14', ['www/core.js', 'texts.map((text) => text.length + ":" + text).join("")', 'texts.join("\\u0000")']],
  ['C14', ['www/decision.js', 'return [sourceOf(decision), group, experimentOf(decision), decision.userId || ""];', 'return [[sourceOf(decision), group, experimentOf(decision), decision.userId || ""].join("|")];']],

  ['C15', ['www/decision.js', 'return place > 1;', 'return !!value;']],

  ['C16', ['www/read.js', 'return found === COMMON[name] ? undefined : found;', 'return found;']],
  ['C16', ['www/decision.js', '{ __proto__: null, source,', '{ source,']],
  ['C16', ['www/spelling.js', '    __proto__: null, // what a polluted prototype lends is no field\n', '']],

  ['C17', ['www/read.js', 'typeof value === "boolean" || Number.isFinite(value) ? value : undefined', 'value']],
  ['C17', ['www/read.js', 'const found = get(value, key);', 'const found = value[key];']],
  ['C17', ['www/read.js', 'if (size > most) {', 'if (false) {']],

  ['C18', ['www/bridge.js', '    attempt(() => clearTimeout(timer));\n', '']],

  ['C19', ['www/sources/direct.js', '  const from = byPosition ? rest : first;\n', '  const from = byPosition ? rest : first;\n  if (isObject(from)) from.isHoldback ??= false;\n']],

  ['C20', ['www/bridge.js',
    '    decide(read(mistakes), true);\n    mistakes.forEach(report.error);\n',
    '    Promise.resolve().then(() => {\n      decide(read(mistakes), true);\n      mistakes.forEach(report.error);\n    });\n']],
  ['C20', ['www/sources/direct.js', 'decision.properties = fields(WHO, "properties", properties, mistakes)', 'decision.properties = properties']],
]
