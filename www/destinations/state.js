// How a destination is found on the page, in the numbers of the core.
import { can, isList } from "../read.js";

export const MISSING = 0;
/** It queues what it is told, and may never load. */
export const STUB = 1;
/** It is loaded, and tells nothing when it took charge: that the call returned has to do. */
export const READY = 2;
/** It is loaded, and tells when it took charge of an event. */
export const CONFIRMS = 3;
/** It is there and drops what it is told, or it could not be loaded. */
export const FAILED = 4;

export const STATES = ["missing", "stub", "ready", "ready", "failed"];

/** What something that queues is: without its script it queues for ever. */
export const queues = (blocked) => (blocked ? FAILED : STUB);

/** A tool that is an array of calls until it has loaded, which it tells by `__loaded`. */
export function queue(tool, method, blocked) {
  if (!can(tool, method)) return MISSING;
  return isList(tool) ? queues(blocked) : tool.__loaded === true ? READY : MISSING;
}
