// B. The WebAssembly instance
export default [
  ['B05', ['www/core.js', 'const rest = [boot, fall, boot];', 'const rest = [];']],
]
