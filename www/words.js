// What the core says of a decision in numbers, in words: in the order of those numbers, `@` being the
// destination.

// The steps on its way, and the places of those that mean more to the bridge.
export const STEPS = [
  "held: waits for consent",
  "held: told where its redirect lands",
  "maxWaitMs is over: left for the next page",
  "taken over from an earlier page",
  "@ is ",
  "handed to the stub of @",
  "handed to @",
  "@ took charge",
  "@ threw: ",
];
export const [PARKED, WAITS, CONFIRMED, THREW] = [2, 4, 7, 8];

// Why it ended.
export const REASONS = [
  "",
  "no destination is wanted",
  "the outbox is full",
  "it waited longer than carryOverMs",
  "it waited longer than maxWaitMs: carryOverMs is 0",
  "the same waits, or was handed over before",
  "another tab handed it over",
  "the same was handed over before",
  "consent was refused",
  "@",
];
export const [FULL, SAME] = [2, 5];
