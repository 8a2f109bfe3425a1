// F. Handing over
const SAFE_STATE = ['www/watch.js', 'attempt(() => DESTINATIONS[index].state(found.blocked)) || MISSING', 'DESTINATIONS[index].state(found.blocked)']
const IS_THERE = 'if (!can(analytics, "track")) return MISSING;\n    const { initialized'
const OUTCOME_OF_CALL = ['www/bridge.js', 'const answer = attempt(\n', 'const answer = ((action) => action())(\n']
const AGAIN_IN_THIS_ROUND = ['src/outbox.rs', 'page.blocked |= it;', '']

export default [
  ['F01', OUTCOME_OF_CALL],
  // Three times is enough for one page.
  ['F01', ['src/outbox.rs', 'item.tired |= item.threw_twice & it;', '']],
  ['F02', ['www/destinations/segment.js', 'result.then(settled, settled)', 'result.then(settled)']],
  ['F03', ['www/destinations/segment.js', IS_THERE, 'if (typeof analytics?.track !== "function") return MISSING;\n    const { initialized'], SAFE_STATE],
  ['F04', ['www/destinations/segment.js', IS_THERE, 'if (!analytics?.track) return MISSING;\n    const { initialized']],
  ['F05', ['www/destinations/segment.js', IS_THERE, 'if (!analytics?.track) return MISSING;\n    const { initialized']],
  // Reading `window.analytics` itself may throw.
  ['F05', SAFE_STATE],
  // Called is what was looked at.
  [
    'F06',
    ['www/destinations/segment.js', 'export default {\n  kind: "segment",', 'let looked;\n\nexport default {\n  kind: "segment",'],
    ['www/destinations/segment.js', IS_THERE, 'looked = analytics;\n    ' + IS_THERE],
    ['www/destinations/segment.js', 'const { analytics } = window;\n    // Of a stub', 'const analytics = looked;\n    // Of a stub'],
  ],
  // A stub that took it is as good as the tool.
  ['F07', ['www/destinations/segment.js', 'if (isList(analytics) || initialized === false || !real) return queues(blocked);', '']],
  ['F07', ['www/decision-bridge.js', 'if (index >= 0) inner.blocked(index);', '']],
  // One object for all calls.
  ['F08', ['www/spelling.js', 'const properties = { ...options.properties, ...decision.properties };', 'const properties = Object.assign(options.properties, decision.properties);']],
  ['F08', ['www/destinations/segment.js', 'attempt(() => structuredClone(more[name])) || { ...more[name] }', 'more[name]']],
  ['F08', ['www/destinations/segment.js', 'attempt(() => structuredClone(more[name])) || ', '']],
  // Who is called, and calls back, begins a run of its own within ours.
  ['F08', ['www/bridge.js', 'if (busy || !fed) return;', 'if (!fed) return;']],
  ['F09', ['www/bridge.js', 'busy && (busy > 50 || ++nested > MOST)', 'busy > 50']],
  // Nor deeper and deeper.
  ['F09', ['www/bridge.js', 'busy && (busy > 50 || ++nested > MOST)', 'busy && ++nested > MOST']],
  ['F09', ['www/bridge.js', 'if (!busy && nested <= MOST) nested = 0;', '']],
  ['F09', ['www/bridge.js', 'if (!busy && nested <= MOST) nested = 0;', 'if (!busy && nested < MOST) nested = 0;']],
  ['F09', ['www/report.js', 'if (what !== "error" || telling) return;', 'if (what !== "error") return;']],
  ['F09', ['www/bridge.js', 'asOne(() => end(item, "expired", REASONS[FULL]))', 'end(item, "expired", REASONS[FULL])']],
  ['F10', OUTCOME_OF_CALL],
  // The first that took charge ends it for all.
  ['F10', ['src/outbox/page.rs', 'if awaited & item.open != 0 || item.told {', 'if item.told {']],
  // The next page offers it again to those that have it.
  ['F10', ['src/outbox/page.rs', 'the next page offers it to them alone.\n        self.store_again(item);', 'the next page offers it to them alone.']],
  ['F11', AGAIN_IN_THIS_ROUND],
  // What was handed over is neither left to the next page, nor known there.
  [
    'F11',
    ['src/outbox/page.rs', 'self.effects.push(Effect::Erase(item.id));', ''],
    ['src/outbox/page.rs', 'self.effects.push(Effect::Remember(item.id, destination, item.occurrence(destination)));', ''],
  ],
  ['F12', ['www/destinations/segment.js', 'if (attempt(() => navigator.onLine) === false) return attempt(() => addEventListener("online", settled, { once: true }));', '']],
  ['F13', ['www/read.js', 'if (size > most) {', 'if (false) {']],
  ['F13', ['www/decision.js', 'decision[name] = cut(whole);', 'decision[name] = whole;']],
  ['F14', ['www/read.js', 'return found === COMMON[name] ? undefined : found;', 'return found;']],
  // What is remembered is written down as JSON.
  [
    'F15',
    ['www/session.js', '[session.period, occurrence, item.outcome].join(" ")', 'JSON.stringify([session.period, occurrence, item.outcome])'],
    ['www/session.js', 'store.read(shelf, markOf(item, index)).split(" ");', 'attempt(() => JSON.parse(store.read(shelf, markOf(item, index)))) || [];'],
  ],
  ['F15', ['www/option.js', 'given.forEach((item, place) =>', '[...given.entries()].forEach(([place, item]) =>']],
  ['F15', ['www/decision-bridge.js', 'put(bridge, "push", (...entries) => {', 'bridge.push = ((...entries) => {']],
  ['F15', ['www/await-extras.js', '    .then((made) => {\n      attempt(() => clearTimeout(timer));\n      return made;\n    });', '    .finally(() => attempt(() => clearTimeout(timer)));']],
  ['F15', ['www/record.js', '  written({', '  JSON.stringify({']],
  ['F15', ['www/option.js', 'JSON.parse(written(value))', 'JSON.parse(JSON.stringify(value))']],
  ['F16', ['www/bridge.js', 'decision.userId || visitor);', 'decision.userId || "");']],
  ['F16', ['www/bridge.js', 'decision.userId || visitor);', 'visitor);']],
  ['F16', ['www/store.js', 'pair.startsWith(CLAIM)', 'pair.includes(CLAIM)']],
  ['F17', ['src/outbox/page.rs', 'self.spent >= SLICE_MS && !self.leaving', 'false']],
  ['F17', ['www/bridge.js', 'more = done > 50 && steady() > until;', 'more = done > 1e9;']],
  ['F17', ['src/outbox/page.rs', 'self.spent >= SLICE_MS && !self.leaving', 'self.spent >= SLICE_MS']],
  ['F17', ['www/bridge.js', 'lookAgain(Infinity);', 'lookAgain();']],
  ['F18', ['www/report.js', 'if (known) known.times++;\n    else if', 'if']],
  // What throws within a method, and where a value of the page's is looked at.
  [
    'F18',
    ['www/decision-bridge.js', 'return attempt(() => methods[method](...args), lookSoon);', 'return methods[method](...args);'],
    ['www/read.js', 'return attempt(() => {\n    const found = value[name];', 'return ((look) => look())(() => {\n    const found = value[name];'],
  ],
  ['F19', ['www/destinations/segment.js', 'const result = analytics.track(name, properties', 'const { track } = analytics;\n    const result = track(name, properties']],
]
