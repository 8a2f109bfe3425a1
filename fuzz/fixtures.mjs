// The cases of tests/fixtures: what tools really told. The name of each is a sentence.
import { readFileSync, readdirSync } from 'node:fs'

const FOLDER = new URL('../tests/fixtures/', import.meta.url)

/** All of them, in alphabetical order: `{folder, name, text}`. */
export const fixtures = () =>
  readdirSync(FOLDER).sort().flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, FOLDER)).sort().map((file) => {
      const text = readFileSync(new URL(`${folder}/${encodeURIComponent(file)}`, FOLDER), 'utf8')
      return { folder, name: file.replace(/\.json$/, ''), text }
    })
  )
