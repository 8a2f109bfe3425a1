// Mixpanel, with its real snippet and library.

import { toolStories } from './tools.mjs'

toolStories('mixpanel', {
  name: '$experiment_started',
  properties: { 'Experiment name': '100', 'Variant name': '200' },
  // Mixpanel takes 36 characters at most.
  key: /^db-[0-9a-f]{32}$/,
})
