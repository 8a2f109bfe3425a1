// Checks what comes from npm: each version is named exactly, each package in the lock file carries its
// hash, and only the packages named here may run a script when they are installed. Nothing of npm's is
// shipped, which www/build.mjs sees to.
import { readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL("../../tests/" + name, import.meta.url), "utf8"));
const { dependencies, devDependencies, overrides } = read("package.json");
const lock = read("package-lock.json");

const EXACT = /^(npm:(@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
// esbuild puts its binary in place; core-js only asks for donations.
const SCRIPTS = ["esbuild", "core-js"];
// They work on what ships.
const TOOLS = { esbuild: "MIT", terser: "BSD-2-Clause", binaryen: "Apache-2.0" };

const faults = [];
for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...overrides })) {
  if (!EXACT.test(version)) faults.push(`tests/package.json: ${name} is "${version}", must be an exact version`);
}
const packages = Object.entries(lock.packages).filter(([path]) => path);
for (const [path, { integrity, hasInstallScript }] of packages) {
  const name = path.replace(/^.*node_modules\//, "");
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) faults.push(`tests/package-lock.json: ${path} has no sha512`);
  if (hasInstallScript && !SCRIPTS.includes(name)) faults.push(`tests/package-lock.json: ${path} runs a script when installed`);
}
for (const [name, license] of Object.entries(TOOLS)) {
  const found = lock.packages["node_modules/" + name]?.license;
  if (found !== license) faults.push(`${name} is licensed ${found}, was ${license}`);
}
if (packages.length === 0) faults.push("tests/package-lock.json is empty");
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
