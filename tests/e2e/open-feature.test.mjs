// OpenFeature's web SDK: a hook for the whole API, and a filter; with the real SDK and its provider.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { html, init, js, push, script, snippet } from './pages.mjs'

const SDK = '<script src="/packages/@openfeature/web-sdk/dist/global/index.min.js"></script>'
const OURS = '<script src="/dist/decision-bridge.js"></script>'
const attach = push('attach', 'openFeature')
const SENT = { experiment_id: 'checkout_redesign', experiment_name: 'checkout_redesign', variation_id: 'variation_a', variation_name: 'variation_a', flag_key: 'checkout_redesign' }

/** The flags of the stories: one that targeting picks, one the same for everybody, one switched off, and a client to ask for them. */
const flags = (then = '') => script(`(async()=>{
  const {OpenFeature:api,InMemoryProvider}=OpenFeature;
  window.api=api;window.client=api.getClient('shop');
  window.see=(key)=>client.getStringValue(key,'none');
  see('checkout_redesign');
  await api.setContext({targetingKey:'user_123',plan:'pro'});
  await api.setProviderAndWait(new InMemoryProvider({
    checkout_redesign:{disabled:false,defaultVariant:'control',variants:{control:'off',variation_a:'on'},contextEvaluator:({plan})=>plan==='pro'?'variation_a':'control'},
    pricing:{disabled:false,defaultVariant:'low',variants:{low:'1',high:'2'},contextEvaluator:()=>'high'},
    banner:{disabled:false,defaultVariant:'blue',variants:{blue:'b'}},
    gone:{disabled:true,defaultVariant:'a',variants:{a:'a'}},
  }));
  ${then};
  window.ready=true;
})()`)
const ready = (tab) => until(() => tab.evaluate(() => window.ready), 'the flags are there')
const live = (world, options, then) => html(snippet(world.origin), init(options), OURS, SDK, attach, flags(then))

story('a variant that targeting picked is sent once, whatever else is read', async (world) => {
  const tab = await world.open('/', live(world, {}, `for(const key of ['checkout_redesign','banner','gone','missing','checkout_redesign'])see(key)`))
  const [event] = await world.delivered(tab)
  assert.deepEqual(event.properties, SENT)
  await world.open('/', undefined, tab)
  await ready(tab)
  await world.counted(tab, 'duplicate', 2)
  await world.delivered(tab)
})

story('users change: the same flag is told for each', async (world) => {
  const tab = await world.open('/', live(world, {}, `see('checkout_redesign');
    await api.setContext({targetingKey:'user_124',plan:'pro'});see('checkout_redesign');
    await api.setContext({targetingKey:'user_123',plan:'free'});see('checkout_redesign');see('checkout_redesign')`))
  const events = await world.delivered(tab, 3)
  assert.deepEqual(events.map((event) => event.properties.variation_id), ['variation_a', 'variation_a', 'control'])
})

story('the site’s list of flags leaves the others out, and may name one whose provider knows no reason', async (world) => {
  const options = { sourceOptions: { openFeature: { flags: ['pricing', 'legacy'] } } }
  const tab = await world.open('/', live(world, options, `for(const key of ['checkout_redesign','banner','pricing'])see(key);
    await api.setProviderAndWait({metadata:{name:'home-grown'},resolveStringEvaluation:(key)=>({value:'v',variant:'b'})});
    for(const key of ['legacy','other'])see(key)`))
  const events = await world.delivered(tab, 2)
  assert.deepEqual(events.map((event) => event.properties.flag_key), ['pricing', 'legacy'])
})

story('the site’s list of reasons widens what counts', async (world) => {
  const options = { sourceOptions: { openFeature: { reasons: ['STATIC'] } } }
  const tab = await world.open('/', live(world, options, `for(const key of ['checkout_redesign','banner'])see(key)`))
  const [event] = await world.delivered(tab)
  assert.equal(event.properties.flag_key, 'banner')
})

story('the provider’s metadata have a say', async (world) => {
  const tab = await world.open('/', live(world, {}, `
    await api.setProviderAndWait({metadata:{name:'home-grown'},resolveStringEvaluation:(key)=>({value:'v',variant:'b',reason:key==='marked'?'CACHED':'SPLIT',flagMetadata:{experiment:key==='marked'&&'exp_9'}})});
    for(const key of ['marked','unmarked'])see(key)`))
  const [event] = await world.delivered(tab)
  assert.deepEqual(event.properties, { experiment_id: 'exp_9', experiment_name: 'exp_9', variation_id: 'b', variation_name: 'b', flag_key: 'marked' })
})

story('detached, nothing is told any more, and evaluations go on', async (world) => {
  const page = html(snippet(world.origin), init(), OURS, SDK, script(`window.detach=decisionBridge.attach('openFeature')`), flags(`see('checkout_redesign');detach();window.value=see('pricing')`))
  const tab = await world.open('/', page)
  const [event] = await world.delivered(tab)
  assert.equal(event.properties.flag_key, 'checkout_redesign')
  assert.equal(await tab.evaluate(() => window.value), '2')
  await tab.evaluate(() => window.decisionBridge.flush())
  await tab.evaluate(() => window.see('pricing'))
  await world.delivered(tab)
})

story('an SDK that comes after us is heard from its first evaluation on', async (world) => {
  for (const [title, first] of [['asked by attach', attach], ['found by itself', script(`(function wait(){if(decisionBridge.diagnose().state!=='running')return setTimeout(wait,10);window.go=true})()`)]]) {
    const visitor = await world.visitor()
    world.server.events.length = 0
    // One file that brings the SDK and uses it, as a bundle does.
    const sdk = await (await fetch(`${world.origin}/packages/@openfeature/web-sdk/dist/global/index.min.js`)).text()
    world.server.pages.set('/bundle.js', { html: `${sdk};${flags(`see('checkout_redesign')`).replace(/<\/?script>/g, '')}`, headers: { 'content-type': 'text/javascript' } })
    const late = script(`(function wait(){if(!window.go&&${first !== attach})return setTimeout(wait,10);const bundle=document.createElement('script');bundle.src='/bundle.js';document.body.append(bundle)})()`)
    const tab = await visitor.open('/', html(snippet(world.origin), init(), OURS, first, late))
    await ready(tab)
    const [event] = await visitor.delivered(tab)
    assert.deepEqual(event.properties, SENT, title)
  }
})

story('what was evaluated before we came cannot be had, what is read again is told', async (world) => {
  const tab = await world.open('/', html(snippet(world.origin), SDK, flags(`see('checkout_redesign')`), init()))
  await ready(tab)
  await tab.evaluate(() => new Promise((resolve) => {
    const ours = document.createElement('script')
    ours.src = '/dist/decision-bridge.js'
    ours.onload = resolve
    document.body.append(ours)
  }))
  await world.delivered(tab, 0)
  await tab.evaluate(() => window.see('checkout_redesign'))
  await world.delivered(tab)
})

story('whatever the provider hands over, the page gets its value', async (world) => {
  const tab = await world.open('/', live(world, {}, `
    await api.setProviderAndWait({metadata:{name:'odd'},resolveStringEvaluation:()=>({value:'on',get variant(){return {}},reason:7,flagMetadata:{get experiment(){throw new Error('no')}}})});
    window.value=see('checkout_redesign')`))
  await ready(tab)
  assert.equal(await tab.evaluate(() => window.value), 'on')
  await world.delivered(tab, 0)
})
