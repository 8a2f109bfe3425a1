// A page's side of the boundary: what it can hand to an export of the module, its timer, its storage.

/** What an export gives for these arguments; what the call threw comes as a text. */
export function call(exports, name, args) {
  try {
    return exports[name](...args);
  } catch (error) {
    return String(error);
  }
}

/** What becomes a number that names no item and no destination. */
export const strangeNumbers = () => [NaN, -1, 1e300, -Infinity, 2 ** 31 + 0.5, "", "none", null, undefined, false, [], {}, () => {}];

/** What no number can be made of: the call throws. */
export const noNumbers = () => [77n, Symbol("a"), Object.create(null), { valueOf: () => ({}), toString: () => [] }];

/** An object that calls this whenever it is made a number, which is this one. */
export const numberThatCalls = (action, number) => ({ valueOf: () => (action(), number) });

/** An object that throws whenever it is made a number. */
export const throwing = () => numberThatCalls(() => {
  throw new Error("of the page");
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const wall = () => Date.now();
export const steady = () => performance.now();

export const write = (name, entry) => sessionStorage.setItem(name, entry);
export const read = (name) => sessionStorage.getItem(name);
export const remove = (name) => sessionStorage.removeItem(name);
