// D. Gates and dedupe
const IS_KNOWN = `    if is_known {
        return Judgment::Drop(Verdict::Duplicate, Reason::Known);
    }
`
const OTHER_TAB = 'known == Mark::new(item.occurrence(destination), true)'
const SHELF = 'dedupe === "visitor" || bySession ? SITE : dedupe === "tab" ? TAB : PAGE'
const WRITE = 'store.write(shelf, markOf(item, index), [session.period, occurrence, item.outcome].join(" "));'
const PRERENDERING = ['www/bridge.js', 'if (!options || document.prerendering === true) return;', 'if (!options) return;']
const IN_MEMORY = ['www/store.js', '      memory[shelf].set(PREFIX + name, entry);\n', '']

export default [
  // Whoever is not known at once is compared again before it is sent.
  ['D01', ['src/gate.rs', IS_KNOWN, '    let _ = is_known;\n'], ['src/outbox.rs', OTHER_TAB, 'false']],

  ['D02', ['www/session.js', WRITE, ';']],
  ['D02', ['www/session.js', SHELF, 'PAGE']],

  ['D03', ['src/outbox.rs', 'hash.unit(item.occurrence(destination).into());', '']],
  ['D03', ['src/outbox/page.rs', 'it.decision.outcome == item.decision.outcome', 'true'], ['www/bridge.js', 'outcome === item.outcome);\n  }', 'true);\n  }']],

  ['D04', ['www/decision.js', 'experimentOf(decision), decision.userId || ""];', 'experimentOf(decision)];']],

  ['D05', ['www/store.js', 'attempt(() => window[name])', 'window[name]']],
  ['D05', ['www/signals.js', 'attempt(() => sessionStorage[name])', 'sessionStorage[name]']],
  ['D05', IN_MEMORY],

  ['D06', ['www/store.js', 'const kept = attempt(() => {', 'const kept = (() => {'], ['www/store.js', '(trusted[shelf] ||= isThere());\n      });', '(trusted[shelf] ||= isThere());\n      })();']],
  ['D06', ['www/store.js', 'memory[shelf].get(PREFIX + name) ?? attempt(() => stores[shelf]?.getItem(PREFIX + name)) ??', 'attempt(() => stores[shelf]?.getItem(PREFIX + name)) ?? memory[shelf].get(PREFIX + name) ??']],
  ['D06', IN_MEMORY],
  ['D06', ['www/bridge.js', 'if (store.write(SITE, nameOf(item), record(item, to))) forgetOld(item);', 'store.write(SITE, nameOf(item), record(item, to));\n    forgetOld(item);']],
  // Room is made of what is not ours.
  ['D06', ['www/store.js', '      memory[shelf].set(PREFIX + name, entry);\n', '      attempt(() => stores[shelf]?.clear());\n      memory[shelf].set(PREFIX + name, entry);\n']],

  ['D07', ['www/store.js', 'return before || (trusted[shelf] ||= isThere());', 'return true;']],

  ['D08', ['www/store.js', ' ?? "").slice(0, LONGEST),', ' ?? ""),']],
  ['D08', ['www/record.js', 'attempt(() => JSON.parse(entry))', 'JSON.parse(entry)']],
  ['D08', ['www/record.js', '[index, occurrence].every((count) => Number.isInteger(count) && count >= 0) && index < 7 && typeof id === "string" && /^.{1,100}$/.test(id)', 'true']],
  ['D08', ['www/record.js', 'fields("", "", from.properties, [])', 'from.properties']],

  // A list of all marks, beside them.
  ['D09', ['www/session.js', WRITE, `{\n        ${WRITE}\n        store.write(shelf, "all", store.read(shelf, "all") + markOf(item, index));\n      }`]],
  ['D09', ['src/outbox.rs', '            self.items.sweep();\n', '']],

  ['D10', ['www/bridge.js', 'if (holder === page || !(store.read(SITE, "left/" + holder) || !item || wall() - item.receivedAt > ABANDONED_MS)) continue;', 'if (holder === page) continue;']],

  ['D11', ['www/store.js', 'return claims()[0] || name;', 'return name;']],
  ['D11', ['www/store.js', 'return claims()[0] || name;', 'return claims().pop() || name;']],
  ['D11', ['www/bridge.js', '    if (!fed) unlock();\n', '']],
  ['D11', ['www/session.js', SHELF, 'dedupe === "visitor" ? SITE : bySession || dedupe === "tab" ? TAB : PAGE']],

  ['D12', ['src/outbox.rs', OTHER_TAB, 'false']],

  ['D13', PRERENDERING],
  ['D14', PRERENDERING],

  // One signal of many: each that is not seen costs its story the patience it has.
  ['D15', ['www/signals.js', '|PREVIEW=true$', '']],
  ['D15', ['www/bridge.js', '(decision.forced || signals.preview)', 'signals.preview']],
  ['D15', ['www/bridge.js', '!isForcedTracking(signals.qa) && ', '']],

  ['D16', ['www/signals.js', '    if (found) store.write(TAB, name, found);\n', '    if (found && found !== store.read(TAB, name)) store.write(TAB, name, found);\n']],
  ['D16', ['www/signals.js', '    if (found) store.write(TAB, name, found);\n', '']],
  ['D16', ['www/bridge.js', '    if (fed && consent() === 1) startAnew();\n', '']],

  ['D17', ['www/bridge.js', 'asked === undefined ? 1 : 2', 'asked === undefined ? 0 : 2']],
  ['D17', ['www/bridge.js', 'else if (!consent()) {', 'else {']],
  ['D17', ['src/outbox.rs', 'if page.is_paused() || page.consent != Consent::Granted {', 'if page.is_paused() {'], ['src/gate.rs', 'Consent::Unknown => Some(Hold::Consent),', 'Consent::Unknown => None,']],
  ['D17', ['www/bridge.js', 'else if (!consent()) {\n      store.open();', 'else store.open();\n    if (!consent()) {'], ['src/outbox/page.rs', 'if self.consent == Consent::Granted && self.options.carry_over_ms > 0.0', 'if self.options.carry_over_ms > 0.0']],
  ['D17', ['www/bridge.js', 'item.outcome === outcome && ', '']],

  ['D18', ['src/outbox.rs', '            self.items.clear();\n            page.latecomers = 0;', '            page.latecomers = 0;']],
  ['D18', ['src/gate.rs', '        _ if consent == Consent::Denied => Judgment::Drop(Verdict::NoConsent, Reason::Refused),\n', '']],

  ['D19', ['www/bridge.js', 'if (consent() > 1) store.purge();', 'if (consent() > 1) full = 0;']],
  ['D19', ['www/bridge.js', 'if (consent() > 1) store.purge();', 'if (consent() > 1) full = 0;'], ['www/bridge.js', '      store.purge();\n', '']],
  ['D19', ['www/bridge.js', 'if (ids && consent() < 2) {', 'if (ids) {']],
  ['D19', ['www/bridge.js', '      unlock();\n      session.end();', '      session.end();']],
  // A tab that was not told names the visitor anew at its next look.
  ['D19', ['www/bridge.js', 'visitor = store.read(SITE, "visitor") || visitor;', 'visitor = consent() ? visitor : nameVisitor(store, page, visitor);']],
  ['D19', ['www/store.js', '      for (const pair of claims()) setCookie(pair, 0);\n', '']],
  // So that nothing happens within the call.
  ['D19', ['www/bridge.js', '    if (fed) open();\n    lookAgain();\n', '    setTimeout(() => {\n      if (fed) open();\n      lookAgain();\n    });\n']],

  ['D20', ['www/consent.js', 'attempt(() => tool.look(consentCategory || undefined))', 'tool.look(consentCategory || undefined)']],
  ['D20', ['www/consent.js', 'attempt(() => tool.listen(look))', 'tool.listen(look)']],
  ['D20', ['www/consent.js', '  if (told === undefined && consentDefault !== "hold") setTimeout(() => told === undefined && decide(consentDefault === "grant"), maxWaitMs);\n', '']],
  ['D20', ['www/consent.js', 'granted !== told && ', '']],

  ['D21', ['www/bridge.js', 'messageId(item, index)), open & 1]', 'messageId(item, index)), 0]']],
  ['D21', ['src/outbox.rs', '(item.offered | item.recalled) & only(destination)', 'item.recalled & only(destination)']],
  ['D21', ['src/outbox.rs', '        self.page.store(item);\n        // What an earlier', '        // What an earlier']],
  ['D21', ['src/outbox.rs', '            page.store_again(item);\n            page.remember(item, destination);', '            page.remember(item, destination);']],
  ['D21', ['www/bridge.js', '    if (store.write(SITE, nameOf(item), record(item, to))) forgetOld(item);', '    forgetOld(item);\n    store.write(SITE, nameOf(item), record(item, to));']],
  // Remembered, and nothing left of it.
  ['D21', ['src/outbox.rs', 'if real && !confirms {', 'if real || confirms {']],

  ['D22', ['www/bridge.js', ' || can(window, "optimizelyIntegration")', '']],
  ['D22', ['www/bridge.js', 'find(at(window, "analytics.queue.plugins"), "Optimizely", "name") || ', '']],
  ['D22', ['www/bridge.js', '          run();\n          warnOfNative();\n', '          run();\n']],

  ['D23', ['www/session.js', 'id && now - before <= timeout', 'id']],
  ['D23', ['www/session.js', 'id && now - before <= timeout', 'id && Math.abs(now - before) <= timeout']],
  ['D24', ['www/consent.js', 'look: () => navigator.globalPrivacyControl !== true', 'look: () => true']],
]
