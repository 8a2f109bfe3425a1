// The destinations: who calls which analytics tool. A new one is a file below and a line here.
import segment from "./destinations/segment.js";

const DESTINATIONS = [segment];

export const destination = (kind) => DESTINATIONS.find((each) => each.kind === kind);

// The destination whose script this address is.
export const whose = (address) => DESTINATIONS.find(({ script }) => script.test(address));

export const leaving = () => DESTINATIONS.forEach((each) => each.leaving && each.leaving());
