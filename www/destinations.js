// The destinations: analytics tools that are told of exposures. A new one is a file below, a line here,
// and its row in `spelling.js` where it has names of its own.
import amplitude from "./destinations/amplitude.js";
import { ga4, gtm } from "./destinations/google.js";
import mixpanel from "./destinations/mixpanel.js";
import posthog from "./destinations/posthog.js";
import rudderstack from "./destinations/rudderstack.js";
import segment from "./destinations/segment.js";

// In the order in which they are served; the core knows them by their place. Each has
// - `state(blocked)`: how it is found on the page; `blocked` says that its script could not be loaded,
// - `send(exposure, stub, confirmed)`: tells it of an exposure; true when it will confirm,
// - `script`, which knows the address of its script; `leaving`, what it needs when the page is left.
export const DESTINATIONS = [segment, amplitude, rudderstack, mixpanel, posthog, ga4, gtm];

// How many of them `"auto"` means, from the first on. The others have to be named: their queue is on
// nearly every page, whether or not anybody wants exposures there.
export const AUTO = 5;

/** The destination whose script this address is. */
export const whose = (address) => DESTINATIONS.findIndex(({ script }) => script && script.test(address));

export const leaving = () => DESTINATIONS.forEach((each) => each.leaving && each.leaving());
