// The write key and where analytics.js comes from: nothing reaches an address unchecked.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LONG, good, parsed, refuses, refusesAllBut } from './options.mjs'

test('a write key is letters, digits and two signs', () => {
  for (const key of ['abcXYZ019', 'a', 'with_and-', 'k'.repeat(128)]) assert.equal(good({ writeKey: key }).writeKey, key)
  refusesAllBut([LONG], 'writeKey', 'letters, digits, _ and -')
  for (const attack of ['a/../../evil', 'a?x=1', 'a#', 'a b', 'a"><script>', 'ключ', 'a%2f', 'a.b', 'a\n', 'a\0', '<key>', 'a\\b']) {
    refuses({ writeKey: attack }, `init: option \`writeKey\` is "${attack}", must be letters, digits, _ and -`)
  }
  refuses({ writeKey: 'k'.repeat(129) }, `init: option \`writeKey\` is "${'k'.repeat(40)}…", must be letters, digits, _ and -`)
})

const cdn = (url) => parsed({ writeKey: 'k', cdnUrl: url })
const CDN_WANTED = 'an https: URL, or http: on localhost, without query'

test('a cdn url is https or on this machine', () => {
  for (const url of [
    'https://cdn.example.com',
    'https://cdn.example.com/proxy/path',
    'https://cdn.example.com:8443',
    'http://localhost',
    'http://localhost:8080/cdn',
    'http://127.0.0.1:3000',
    'http://127.1.2.3',
    'http://[::1]:9000',
    'https://[2001:db8::1]/x',
  ]) {
    for (const given of [url, `${url}//`]) {
      const [options, mistakes] = cdn(given)
      assert.deepEqual([options.cdnUrl, mistakes], [given, []], given)
    }
  }
})

test('no other cdn url passes', () => {
  for (const url of [
    'http://cdn.example.com',
    '//cdn.example.com',
    '/proxy',
    'cdn.example.com',
    'HTTPS://cdn.example.com',
    'https:/cdn.example.com',
    'https://',
    'https:///path',
    'https://:80',
    'javascript:alert(1)',
    'javascript://localhost/%0aalert(1)',
    'data:text/javascript,alert(1)',
    'blob:https://example.com/1',
    'ftp://localhost',
    'http://localhost.evil.com',
    'http://localhost@evil.com',
    'http://127.0.0.1@evil.com',
    'http://127.0.0.1.evil.com',
    'http://127.evil.com',
    'http://127.0.0.1:80@evil.com',
    'http://127.0.0.256',
    'http://128.0.0.1',
    'http://evil.com/localhost',
    'http://evil.com#localhost',
    'http://evil.com\\@localhost',
    'http://localhost\\@evil.com',
    'http://[::2]',
    'https://user:secret@example.com',
    'https://example.com/?x=1',
    'https://example.com/#x',
    'https://example.com/a b',
    'https://example.com/\0',
    'https://example.com/\n',
    'https://exämple.com',
    'https://example.com/"onload="',
    'https://example.com/<script>',
    'https://example.com/`',
    ' https://example.com',
    '',
  ]) {
    const [options, mistakes] = cdn(url)
    assert.equal(options.cdnUrl, null, url)
    assert.equal(mistakes.length, 1, url)
    assert.ok(mistakes[0].startsWith('init: option `cdnUrl` is "') && mistakes[0].endsWith(`, must be ${CDN_WANTED}`), mistakes[0])
    assert.equal(options.writeKey, 'k')
  }
  refusesAllBut([], 'cdnUrl', CDN_WANTED)
})

test('a cdn url that is too long is refused and not cut', () => {
  const [options, mistakes] = cdn(`https://cdn.example.com/${'x'.repeat(2000)}`)
  assert.deepEqual([options.cdnUrl, mistakes.length], [null, 1])
})

test('a cdn url without a write key is of no use', () => {
  assert.deepEqual(parsed({ cdnUrl: 'https://cdn.example.com' })[1], ['init: option `cdnUrl` needs `writeKey`'])
})
