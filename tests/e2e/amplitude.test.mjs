// Amplitude, with its real snippet and Browser SDK.

import { toolStories } from './tools.mjs'

toolStories('amplitude', {
  name: 'Experiment Viewed',
  properties: { experimentId: '100', experimentName: '100', variationId: '200', variationName: '200' },
  key: /^db-[0-9a-f]{32}$/,
})
