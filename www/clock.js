// Both of the page's clocks, which a page may patch, and break, and what is done a little later.
import { attempt } from "./read.js";

/** Milliseconds since the epoch. Only these mean something to the next page. */
export const wall = () => attempt(() => Date.now()) || 0;

/** Milliseconds on a clock that never jumps back. */
export const steady = () => attempt(() => performance.now()) ?? wall();

/** Does it when what runs now has come to its end. */
export const later = (action) => Promise.resolve().then(action);
