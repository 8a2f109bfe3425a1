// PostHog, with its real library.

import { toolStories } from './tools.mjs'

toolStories('posthog', {
  name: '$feature_flag_called',
  properties: { $feature_flag: '100', $feature_flag_response: '200' },
  // Another form than that of a UUID would be replaced.
  key: /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
})
