// The destinations: who calls which analytics tool. A new one is a file below and a line here.
import amplitude from "./destinations/amplitude.js";
import { ga4, gtm } from "./destinations/google.js";
import mixpanel from "./destinations/mixpanel.js";
import posthog from "./destinations/posthog.js";
import rudderstack from "./destinations/rudderstack.js";
import segment from "./destinations/segment.js";

const DESTINATIONS = [segment, amplitude, rudderstack, mixpanel, posthog, ga4, gtm];

export const destination = (kind) => DESTINATIONS.find((each) => each.kind === kind);

// The destination whose script this address is.
export const whose = (address) => DESTINATIONS.find(({ script }) => script && script.test(address));

export const leaving = () => DESTINATIONS.forEach((each) => each.leaving && each.leaving());
