// A. Loading and environment

// The queue that the integration makes where our script is not there (yet).
const NO_QUEUE = ['www/optimizely.js', '(window.decisionBridge = window.decisionBridge || [])', 'window.decisionBridge']
const NO_FALLBACK = ['www/core.js', '      fall();', '      giveUp(error);']
// A second copy starts too, though it says that it does nothing.
const SECOND_COPY = [
  'www/decision-bridge.js',
  'if (!window[running]) start((window[running] = { version: VERSION }));\nelse if (!window[running].warned) {',
  'const other = window[running];\nstart((window[running] ||= { version: VERSION }));\nif (other && !other.warned) {',
]

export default [
  ['A01', NO_QUEUE],
  ['A01', ['www/build.mjs', 'write("decision-bridge-extras.js"', 'write("analytics-extras.js"'], ['www/build.mjs', '"decision-bridge-extras.js": integrity', '"analytics-extras.js": integrity']],
  ['A02', NO_QUEUE],
  ['A03', ['README.md', '<script async src="/decision-bridge.js"></script>', '<script src="/decision-bridge.js"></script>']],
  ['A07', NO_FALLBACK],
  ['A11', NO_FALLBACK],
  // What is forbidden is tried again, which is one more report to the page's owner.
  ['A11', ['www/core.js', 'WebAssembly.compile(moduleBytes())', 'WebAssembly.compile(moduleBytes()).catch(() => WebAssembly.compile(moduleBytes()))']],
  ['A12', ['www/script.js', 'if (nonce) script.nonce = nonce;', '']],
  ['A12', ['www/beside.js', 'makeScript(url.href, tag.nonce)', 'makeScript(url.href)']],
  ['A13', ['www/core.js', 'WebAssembly.compile(moduleBytes())', 'WebAssembly.compileStreaming(fetch("data:application/wasm;base64," + btoa(String.fromCharCode(...moduleBytes()))))']],
  // From the bytes, not from what was compiled: two attempts.
  ['A14', ['www/core.js', 'WebAssembly.instantiate(module).then(({ exports }) => exports)', 'WebAssembly.instantiate(moduleBytes()).then(({ instance }) => instance.exports)']],
  // The policy is made whether or not a script has to be loaded.
  ['A15', ['www/script.js', 'let policy;', 'let policy;\ntrusted("");']],
  ['A15', ['www/bridge.js', 'attempt(() => loadSegment(options.writeKey, options.cdnUrl, tag?.nonce), (error) => warn("analytics.js could not be loaded: " + error))', 'loadSegment(options.writeKey, options.cdnUrl, tag?.nonce)']],
  // A stub first, and its script then, if it may.
  ['A15', ['www/destinations/segment.js', 'const script = makeScript(cdn + "/analytics.js/v1/" + writeKey + "/analytics.min.js", nonce);', ''], ['www/destinations/segment.js', 'document.head.appendChild(script)', 'document.head.appendChild(makeScript(cdn + "/analytics.js/v1/" + writeKey + "/analytics.min.js", nonce))']],
  ['A16', SECOND_COPY, ['www/destinations/segment.js', 'if (isList(window.analytics) || can(window.analytics, "track")) return;', '']],
  ['A17', ['www/beside.js', 'script.integrity = integrity;', '']],
  // The hash of what the file was before its last change.
  ['A18', ['www/build.mjs', '"decision-bridge.js": integrity(script)', '"decision-bridge.js": integrity(script + "\\n")']],
  ['A18', ['www/beside.js', 'script.integrity = integrity;', '']],
  ['A19', ['www/build/sizes.mjs', 'const hash = algorithm + "-"', 'const hash = algorithm.replace("384", "348") + "-"'], ['www/build/sizes.mjs', 'if (!/^sha(256|384|512)-[A-Za-z0-9+/]+=*$/.test(hash)) throw new Error(`${hash} is no integrity hash`);', '']],
  // Whoever hosts our script says that other origins may have it, as our own server does.
  ['A20', ['www/demo/server.mjs', "response.setHeader('cross-origin-resource-policy', 'cross-origin')", '']],
  // Naming what is not there throws, and nobody catches it.
  ['A21', ['www/core.js', 'later(() => WebAssembly.compile(moduleBytes()))', 'WebAssembly.compile(moduleBytes())']],
  ['A22', ['www/core.js', '      fall();', '      typeof WebAssembly === "object" ? giveUp(error) : fall();']],
  ['A23', SECOND_COPY],
  ['A23', ['www/decision-bridge.js', '  window[running].warned = true;\n', '']],
  // Each version has a mark of its own.
  ['A24', ['www/decision-bridge.js', 'Symbol.for("decision-bridge")', 'Symbol.for("decision-bridge/" + VERSION)']],
  // The mark is on the tag, of which a page that is swapped in has another one.
  ['A25', ['www/decision-bridge.js', 'if (!window[running]) start(', 'if (!tag[running]) start((tag[running] = true) && ']],
  ['A26', ['www/decision-bridge.js', 'attempt(() => readTag(bridge.init, report.error));', 'readTag(bridge.init, report.error);']],
  ['A27', ['www/decision-bridge.js', 'bridge.push(...pushed);', 'bridge.push(...pushed.filter(([method]) => method === "init"));']],
  ['A27', ['www/bridge.js', 'for (const item of items.values()) if (!item.known) untold.add(item);', '']],
  // The callback knows the visitor, the state does not: two keys.
  ['A28', ['www/sources/optimizely-web.js', '  fill(decision, "userId", visitor(client));\n', '']],
  ['A30', ['www/core.js', '    }, giveUp);', '    });']],
  ['A30', ['www/core.js', '}).catch(next);', '});']],
]
