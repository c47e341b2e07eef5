// What the bytes of a wasm file with names are spent on: `node size.mjs named.wasm` by crate, and then its largest
// functions; `node size.mjs named.wasm CRATE` for all functions of a crate. Sizes are those before compression.
import { readFileSync } from 'node:fs'

const [file, only] = process.argv.slice(2)
const bytes = readFileSync(file)
let at = 8

/** A number in the format's own encoding, LEB128. */
function number() {
  let number = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    number += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return number
  }
}

function text() {
  const length = number()
  at += length
  return bytes.toString('utf8', at - length, at)
}

const CUSTOM = 0
const IMPORT = 2
const CODE = 10
const DATA = 11

let imported = 0
let data = 0
const sizes = []
const names = new Map()
while (at < bytes.length) {
  const section = bytes[at++]
  const end = number() + at
  if (section === IMPORT) {
    // All of them are functions, which are counted on by those of the code.
    imported = number()
  } else if (section === CODE) {
    for (let count = number(); count > 0; count--) {
      const size = number()
      sizes.push(size)
      at += size
    }
  } else if (section === DATA) {
    data = end - at
  } else if (section === CUSTOM && text() === 'name') {
    readNames(end)
  }
  at = end
}

function readNames(end) {
  while (at < end) {
    const FUNCTIONS = 1
    const kind = bytes[at++]
    const next = number() + at
    for (let count = kind === FUNCTIONS ? number() : 0; count > 0; count--) names.set(number(), text())
    at = next
  }
}

/** The crate that a function's name begins with, seen through the `<` and `&` of an implementation. */
function crateOf(name) {
  return /^[<&*([ ]*(?:mut |dyn )*(?:\w+ as )?([a-z]\w*)::/.exec(name)?.[1] ?? 'other'
}

const functions = sizes.map((size, index) => {
  const name = (names.get(index + imported) ?? 'other').replace(/\[[0-9a-f]+\]|::h[0-9a-f]{16}$/g, '')
  return { name, size, crate: crateOf(name) }
})
const crates = new Map([['data', { size: data, count: 0 }]])
for (const { size, crate } of functions) {
  const sum = crates.get(crate) ?? { size: 0, count: 0 }
  crates.set(crate, { size: sum.size + size, count: sum.count + 1 })
}
const line = (size, what) => console.log(String(size).padStart(8), what)
const larger = (a, b) => b.size - a.size
if (only === undefined) {
  for (const [crate, { size, count }] of [...crates].sort((a, b) => larger(a[1], b[1])))
    line(size, count > 0 ? `${crate}, ${count} functions` : crate)
}
const shown = functions.filter(({ crate }) => (only ?? crate) === crate).sort(larger)
for (const { size, name } of shown.slice(0, only === undefined ? 20 : undefined)) line(size, name.slice(0, 150))
