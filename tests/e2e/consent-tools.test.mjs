// consentFrom: consent tools that are asked, instead of the page telling us.

import assert from 'node:assert/strict'
import { story, until } from './harness.mjs'
import { decision, html, init, js, push, script, snippet, tag } from './pages.mjs'

const page = (world, options, before = '') => html(snippet(world.origin), before, init({ maxWaitMs: 300, ...options }), push('trackDecision', decision()), tag())
const stored = (tab) => tab.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('decision-bridge/')))

async function holds(world, tab) {
  await world.counted(tab, 'pending')
  await world.delivered(tab, 0)
  assert.deepEqual(await stored(tab), [])
}

const gtag = 'window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}'
const oneTrust = (groups, answered) =>
  `window.OnetrustActiveGroups=${js(groups)};window.OneTrust={IsAlertBoxClosed:()=>${answered},OnConsentChanged(){},GetDomainData(){}}`
const cookiebot = (statistics, answered) => `window.Cookiebot={consent:{statistics:${statistics}},hasResponse:${answered}}`
// A consent management platform of the TCF: its stub queues, the real one answers.
const tcf = `window.tcf=[];window.__tcfapi=(command,version,callback)=>{if(command==='addEventListener')tcf.push(callback)}`
const tcfSays = (status, consents) => `for(const each of tcf)each({eventStatus:${js(status)},gdprApplies:true,purpose:{consents:${js(consents)}}},true)`

// Each tool: what the page has before it answers, how it grants, how it refuses.
const TOOLS = [
  ['googleConsentMode', gtag + `;gtag('consent','default',{analytics_storage:'denied'})`,
    `gtag('consent','update',{analytics_storage:'granted'})`, `gtag('consent','update',{analytics_storage:'denied'})`],
  ['oneTrust', oneTrust(',C0001,', false),
    oneTrust(',C0001,C0002,', true) + `;dispatchEvent(new CustomEvent('OneTrustGroupsUpdated',{detail:['C0001','C0002']}))`,
    oneTrust(',C0001,', true) + `;dispatchEvent(new CustomEvent('OneTrustGroupsUpdated',{detail:['C0001']}))`],
  ['cookiebot', cookiebot(false, false),
    cookiebot(true, true) + `;dispatchEvent(new Event('CookiebotOnAccept'))`,
    cookiebot(false, true) + `;dispatchEvent(new Event('CookiebotOnDecline'))`],
  ['tcf', tcf, tcfSays('useractioncomplete', { 1: true, 8: true }), tcfSays('useractioncomplete', { 1: true, 8: false })],
]

for (const [tool, before, grant, refuse] of TOOLS) {
  story(`${tool}: nothing before the visitor agreed, everything after`, async (world) => {
    const tab = await world.open('/', page(world, { consentFrom: tool }, script(before)))
    await holds(world, tab)
    // Tools like to tell twice.
    await tab.evaluate(`${grant};${grant}`)
    await world.delivered(tab)
  })

  story(`${tool}: refused is forgotten, and taken back in the middle stops everything`, async (world) => {
    const tab = await world.open('/', page(world, { consentFrom: tool }, script(before)))
    await holds(world, tab)
    await tab.evaluate(refuse)
    await world.counted(tab, 'no-consent')
    await tab.evaluate(grant)
    await tab.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: 'later' }))
    assert.equal((await world.delivered(tab))[0].properties.experimentId, 'later')
    await tab.evaluate(refuse)
    await tab.evaluate((decision) => window.decisionBridge.trackDecision(decision), decision({ experimentId: 'after' }))
    await world.counted(tab, 'no-consent', 2)
    assert.deepEqual(await stored(tab), [])
    await world.delivered(tab)
  })

  story(`${tool}: comes late`, async (world) => {
    const tab = await world.open('/', page(world, { consentFrom: tool }))
    await holds(world, tab)
    world.server.pages.set('/late.js', `${before};${grant}`)
    await tab.evaluate(() => {
      const tool = document.createElement('script')
      tool.src = '/late.js'
      document.head.append(tool)
    })
    if (tool === 'tcf') await until(() => tab.evaluate('window.tcf&&tcf.length'), 'we listen').then(() => tab.evaluate(grant))
    await world.delivered(tab)
  })
}

story('an answer that was there before us counts', async (world) => {
  const tab = await world.open('/', page(world, { consentFrom: ['oneTrust', 'cookiebot'] }, script(oneTrust(',C0002,', true) + ';' + cookiebot(true, true))))
  await world.delivered(tab)
})

story('of several tools each has to agree', async (world) => {
  const tab = await world.open('/', page(world, { consentFrom: ['oneTrust', 'cookiebot'] }, script(oneTrust(',C0002,', true) + ';' + cookiebot(false, false))))
  await holds(world, tab)
  await tab.evaluate(cookiebot(true, true) + `;dispatchEvent(new Event('CookiebotOnAccept'))`)
  await world.delivered(tab)
})

story('consentCategory names what the visitor has to agree to', async (world) => {
  const tab = await world.open('/', page(world, { consentFrom: 'oneTrust', consentCategory: 'C0004' }, script(oneTrust(',C0002,', false))))
  await holds(world, tab)
  await tab.evaluate(oneTrust(',C0004,', true) + `;dispatchEvent(new Event('OneTrustGroupsUpdated'))`)
  await world.delivered(tab)
})

for (const [signal, getter] of [['gpc', 'globalPrivacyControl'], ['dnt', 'doNotTrack']]) {
  story(`${signal}: the browser's own signal refuses`, async (world) => {
    const says = (value) => script(`Object.defineProperty(navigator,'${getter}',{configurable:true,get:()=>${value}})`)
    const tab = await world.open('/', page(world, { consentFrom: signal }, says(signal === 'gpc' ? 'true' : '"1"')))
    await world.counted(tab, 'no-consent')
    await world.delivered(tab, 0)
    await world.open('/second', page(world, { consentFrom: signal }, says('undefined')), tab)
    await world.delivered(tab)
  })
}

for (const [assumed, verdict] of [['grant', 'delivered'], ['refuse', 'no-consent'], ['hold', 'pending']]) {
  story(`a tool that never comes: consentDefault ${assumed}`, async (world) => {
    const tab = await world.open('/', page(world, { consentFrom: 'tcf', consentDefault: assumed }))
    await world.counted(tab, verdict)
    await world.delivered(tab, verdict === 'delivered' ? 1 : 0)
  })
}

story('tools that throw wherever they are asked hold everything, and break nothing', async (world) => {
  const all = (descriptor) => `for(const name of ['OneTrust','OnetrustActiveGroups','Cookiebot','dataLayer','__tcfapi'])Object.defineProperty(window,name,{configurable:true,${descriptor}});`
  const tab = await world.open('/', page(world, { consentFrom: ['oneTrust', 'cookiebot', 'googleConsentMode', 'tcf'] }, script(all(`get(){throw new Error('no')}`))))
  await holds(world, tab)
  // Once they answer they are heard: none was given up.
  await tab.evaluate(all('writable:true,value:undefined') + [gtag, oneTrust(',C0002,', true), cookiebot(true, true), tcf].join(';'))
  await tab.evaluate(`gtag('consent','update',{analytics_storage:'granted'});decisionBridge.flush()`)
  await until(() => tab.evaluate('tcf.length'), 'we listen')
  await tab.evaluate(tcfSays('useractioncomplete', { 1: true, 8: true }))
  await world.delivered(tab)
})
