// B. The WebAssembly instance

// What is done goes on within what the page is called for.
const WITHIN = ['www/bridge.js', 'if (busy || !fed) return;', 'if (!fed) return;']

export default [
  ['B01', WITHIN],
  ['B02', WITHIN],
  ['B02', ['www/bridge.js', 'if (!item || item.ended || item.known) return item;', 'if (!item || item.ended) return item;'], ['www/bridge.js', 'if (!item.known) untold.add(item);', 'untold.add(item);']],
  ['B02', ['www/bridge.js', '      full = false;\n', '']],
  ['B02', ['www/report.js', 'attempt(() => handler(told()))', 'handler(told())']],
  ['B03', ['www/bridge.js', 'wanted >= 0 && attempt(() => setTimeout(() => mine === timer && attempt(lookAgain), wanted))', 'wanted >= 0 && setTimeout(() => mine === timer && attempt(lookAgain), wanted)']],
  ['B03', ['www/bridge.js', 'attempt(() => clearTimeout(timer));', 'clearTimeout(timer);']],
  ['B03', ['www/bridge.js', '() => mine === timer && attempt(lookAgain)', '() => attempt(lookAgain)']],
  ['B05', ['www/core.js', 'const rest = [boot, fall, boot];', 'const rest = [];']],
  // What is dead is called again.
  ['B05', ['www/core.js', '      api = undefined;\n', '']],
  ['B06', ['www/bridge.js', 'for (const item of items.values()) item.known = false;', '']],
  ['B06', ['www/core.js', 'const rest = [boot, fall, boot];', 'const rest = [boot];']],
  ['B07', ['www/decision-bridge.js', '(() => {}).apply(0, NEEDED);', '']],
  // An instance that dies where there is no stack left to see to it.
  ['B07', ['www/core.js', '    if (dead) bury();\n', '']],
  ['B08', ['www/decision.js', 'const whole = text(value);', 'const whole = value;']],
  ['B08', ['www/read.js', '(/^(string|number|bigint)$/.test(typeof value) ? String(value) : "")', 'value ?? ""']],
  ['B08', ['src/js.rs', 'desk.memory.get_mut(destination as usize)', 'Some(&mut desk.memory[destination as usize])']],
  ['B09', ['www/decision.js', 'decision[name] = cut(whole);', 'decision[name] = whole;']],
  // What has ended stays.
  ['B09', ['www/bridge.js', 'core.ask("open", id, index) >= 0)) items.delete(id);', 'core.ask("open", id, index) >= 0)) return;']],
  ['B09', ['www/report.js', 'if (verdict !== "pending") recent.delete(old);', '']],
  ['B10', ['www/read.js', '(typeof value === "string" ? cut(value) : typeof value === "boolean" || Number.isFinite(value) ? value : undefined)', '(typeof value === "string" ? cut(value) : JSON.parse(JSON.stringify(value)))']],
  ['B11', ['www/read.js', '[...text.slice(0, 2 * most)].slice(0, most).join("")', 'text.slice(0, most)']],
  // The fallback alone makes other hashes.
  ['B13', ['src/key.rs', 'const PRIME: u64 = 0x13b;', 'const PRIME: u64 = if cfg!(all(target_arch = "wasm32", not(target_feature = "nontrapping-fptoint"))) { 0x14b } else { 0x13b };']],
  ['B14', ['www/record.js', 'attempt(() => JSON.parse(entry))', 'JSON.parse(entry)']],
  ['B14', ['www/record.js', 'told.to.slice(0, 7).filter(good)', 'told.to.slice(0, 7)']],
  ['B14', ['www/session.js', '/^(\\S{1,64}) (\\d+)$/.exec(store.read(shelf, "session")) || []', '["", ...store.read(shelf, "session").split(" ")]']],
]
