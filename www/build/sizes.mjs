// What a visitor downloads, weighed.
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** Bytes as they are, and as servers send them. */
export function weigh(content) {
  const bytes = Buffer.from(content);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

/** The value of a tag's `integrity` attribute. */
export function integrity(content, algorithm = "sha384") {
  const hash = algorithm + "-" + createHash(algorithm).update(content).digest("base64");
  if (!/^sha(256|384|512)-[A-Za-z0-9+/]+=*$/.test(hash)) throw new Error(`${hash} is no integrity hash`);
  return hash;
}

/** A table of rows of cells, the first column left, the others right. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const line = (row) =>
    row.map((cell, column) => (column ? String(cell).padStart(widths[column]) : String(cell).padEnd(widths[0]))).join("  ");
  return rows.map(line).join("\n");
}
