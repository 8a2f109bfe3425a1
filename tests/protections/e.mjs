// E. Time, and the life of a page
const LOOKS = ['src/outbox.rs', 'wanted = page.options.poll_interval_ms;', '']
const RUNNING_TIME = ['src/outbox.rs', 'page.running += if passed < most { passed } else { most };', 'page.running += passed;']
const NO_GOODBYE = ['www/bridge.js', '() => store.write(SITE, "left/" + page, "1"),', '() => {},']

export default [
  // What the stub takes is told under the time of the decision, not that of its replay.
  ['E01', ['www/destinations/segment.js', 'const given = { timestamp: time, messageId };', 'const given = { messageId };']],
  // Neither is the stub told, nor does anybody look again.
  ['E01', ['www/destinations/segment.js', 'if (isList(analytics) || initialized === false || !real) return queues(blocked);', 'if (isList(analytics) || initialized === false || !real) return MISSING;'], LOOKS],
  // What waited as long as it may on this page is kept for whoever comes later.
  ['E02', ['src/outbox.rs', 'if !waits || page.options.carry_over_ms > 0.0 {', 'if !waits {']],
  // Once nobody looks any more, the script that has loaded wakes us.
  ['E02', ['www/decision-bridge.js', 'on(document, "load", ({ target }) => target.nodeName === "SCRIPT" && look());', '']],
  ['E03', ['src/outbox.rs', 'due != 0 && !item.parked && item.hold', 'due != 0 && item.hold']],
  ['E04', RUNNING_TIME],
  ['E04', ['www/decision-bridge.js', '"DOMContentLoaded", "visibilitychange", "prerenderingchange"', '"DOMContentLoaded", "prerenderingchange"']],
  ['E05', RUNNING_TIME],
  ['E05', ['www/decision-bridge.js', 'on(window, "pageshow", inner.shown);', '']],
  // Whether somebody came is looked at before the wait is over.
  ['E05', ['src/outbox.rs', 'self.page.blocked = 0;\n        self.look_for_waiting();', 'self.page.blocked = 0;\n        self.give_up();\n        self.look_for_waiting();']],
  // A goodbye by `unload` is what browsers keep no page for.
  ['E06', ['www/decision-bridge.js', 'on(window, "pagehide", () => {', 'on(window, "unload", inner.hidden);\n  on(window, "pagehide", () => {']],
  // Waiting is measured on the clock that nobody sets.
  ['E07', ['www/clock.js', 'attempt(() => performance.now()) ?? wall();', 'wall();']],
  ['E07', ['src/outbox/page.rs', '&& (item.carried || self.steady - item.came_at > limit)', '']],
  ['E08', ['www/bridge.js', '    if (store.write(SITE, nameOf(item), record(item, to))) forgetOld(item);\n', '']],
  ['E08', NO_GOODBYE],
  ['E09', ['www/decision-bridge.js', 'inner.hidden();', '']],
  ['E10', ['www/decision-bridge.js', 'inner.hidden();', 'if (document.visibilityState === "hidden") inner.hidden();']],
  // A page that came back holds what it held: nobody takes it over any more.
  ['E11', ['www/bridge.js', 'store.remove(SITE, "left/" + page);', '']],
  // What was handed over is neither left to the next page, nor new there.
  ['E11', ['www/bridge.js', 'item.stored = false;\n      store.remove(SITE, nameOf(item));', 'item.stored = false;'], ['www/session.js', 'if (!(last > occurrence)) store.write(', 'if (last > occurrence) store.write(']],
  ['E12', ['www/bridge.js', ' || !item || wall() - item.receivedAt > ABANDONED_MS)) continue;', ' || !item)) continue;']],
  ['E12', ['www/bridge.js', 'if (holder === page || !(store.read(SITE, "left/" + holder) || !item || wall() - item.receivedAt > ABANDONED_MS)) continue;', 'if (holder === page) continue;']],
  ['E13', ['www/bridge.js', 'Object.assign(decision, { pageUrl: here(), pagePath: location.pathname, pageTitle: attempt(() => text(document.title)) });', '']],
  // No query and no fragment.
  ['E13', ['www/bridge.js', 'const here = () => location.origin + location.pathname;', 'const here = () => location.href;']],
  ['E14', ['src/outbox.rs', 'if item.open != 0 && self.is_full() {', 'if false {']],
  ['E14', ['www/bridge.js', 'if (full) warn("more than 1000 decisions wait: the rest is dropped");', '']],
  ['E14', ['www/bridge.js', 'else if (items.size > MOST) asOne(() => end(item, "expired", "more than 1000 decisions wait for `init`"));', '']],
  // The oldest first.
  ['E15', ['src/outbox.rs', 'for item in self.items.iter_mut() {\n            let Some(destination)', 'for item in self.items.iter_mut().rev() {\n            let Some(destination)']],
  // What an earlier page left goes in front.
  ['E15', ['www/bridge.js', '    untold.clear();\n', '']],
  ['E15', ['www/bridge.js', 'if (fed > 1) untold.add(item);', 'untold.add(item);']],
  ['E15', ['src/outbox.rs', 'self.items.iter().position(later).unwrap_or(self.items.len())', 'self.items.len()']],
  ['E16', ['www/bridge.js', 'attempt(() => setTimeout(() => mine === timer && attempt(lookAgain), wanted))', 'setTimeout(() => mine === timer && attempt(lookAgain), wanted)']],
  ['E16', ['www/bridge.js', 'attempt(() => clearTimeout(timer));', 'clearTimeout(timer);']],
  // A timer that could not be cleared fires for nothing.
  ['E16', ['www/bridge.js', '() => mine === timer && attempt(lookAgain)', '() => attempt(lookAgain)']],
  ['E17', ['www/bridge.js', 'items.delete(id);', '']],
  ['E17', ['www/report.js', 'if (recent.size < RECENT) break;', 'break;']],
  ['E18', ['www/option.js', 'typeof value === "number" && value >= least && value <= most ?', 'typeof value === "number" ?']],
]
