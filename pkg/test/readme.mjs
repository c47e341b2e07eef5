// The README's examples: `node readme.mjs >types/readme.ts` gives its TypeScript as one program.
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The README's code in one language, in order. */
export const examples = (language) =>
  [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, is]) => is === language).map(([, , code]) => code)

if (process.argv[1] === import.meta.filename) console.log(examples('ts').join('\n'))
