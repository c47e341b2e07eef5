// Makes the core small: `node optimize.mjs in.wasm out.wasm named.wasm`. The last keeps the names of its functions.
import { readFileSync, writeFileSync } from 'node:fs'
import binaryen from 'binaryen'

const [input, output, named] = process.argv.slice(2)
const { Features, Function } = binaryen
const bytes = readFileSync(input)
wipeLocations(bytes)
const module = binaryen.readBinary(bytes)
module.setFeatures(
  Features.BulkMemory |
    Features.BulkMemoryOpt |
    Features.MutableGlobals |
    Features.Multivalue |
    Features.NontrappingFPToInt |
    Features.ReferenceTypes |
    Features.SignExt,
)

// A panic ends in a trap. What it says before that is heard by nobody, for a page has no standard error. Only panics use
// `Debug`: tests/architecture.rs holds that.
const PANICS =
  /^(core::panicking::|<?std::panicking::|core::(slice|str)::.*fail|core::(option|result)::.*_failed|alloc::raw_vec::(handle_error|capacity_overflow)|alloc::alloc::handle_alloc_error)| as core::fmt::Debug>::fmt/
let silenced = 0
for (let index = 0; index < module.getNumFunctions(); index++) {
  const place = module.getFunctionByIndex(index)
  // The compiler marks a crate's name with a number in brackets.
  const name = Function.getName(place).replace(/\[[0-9a-f]+\]/g, '')
  if (!PANICS.test(name)) continue
  Function.setBody(place, module.unreachable())
  silenced++
}
if (silenced === 0) throw new Error('no function that panics was found: their names have changed')

binaryen.setOptimizeLevel(2)
binaryen.setShrinkLevel(2)
// Rust keeps nothing below this address, so an offset to a pointer does not wrap around.
binaryen.setLowMemoryUnused(true)
binaryen.setGenerateStackIR(true)
binaryen.setOptimizeStackIR(true)
// What is inlined into its only caller makes the module smaller, and larger once it is compressed.
binaryen.setOneCallerInlineMaxSize(15)
module.optimize()
module.optimize()
// Functions of one kind compress best side by side.
module.runPasses(['reorder-functions-by-name', 'strip-producers', 'strip-target-features'])
binaryen.setDebugInfo(true)
writeFileSync(named, module.emitBinary())
binaryen.setDebugInfo(false)
writeFileSync(output, module.emitBinary())

/**
 * Wipes the places in the source that panics name, and the names of its files. A place is a file's name, by its address
 * and length, a line and a column: four numbers of 32 bits.
 */
function wipeLocations(bytes) {
  const segments = segmentsOf(bytes)
  const at = (address, length) => {
    const segment = segments.find(({ from, data }) => address >= from && address + length <= from + data.length)
    return segment?.data.subarray(address - segment.from, address - segment.from + length)
  }
  const files = new Set()
  for (const { data } of segments) {
    for (let place = 0; place + 16 <= data.length; place += 4) {
      const file = at(data.readUInt32LE(place), data.readUInt32LE(place + 4))
      if (file === undefined || !/^[\x20-\x7e]+\.rs$/.test(file.toString('latin1'))) continue
      files.add(file)
      data.fill(0, place, place + 16)
    }
  }
  if (files.size === 0) throw new Error('no places in the source were found: they are kept otherwise now')
  for (const file of files) file.fill(0)
}

/** The initial contents of the memory, each part with its address. Changes to `data` change `bytes`. */
function segmentsOf(bytes) {
  const module = binaryen.readBinary(bytes)
  return Array.from({ length: module.getNumDataSegments() }, (_, index) => {
    const { offset, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(index))
    const place = bytes.indexOf(Buffer.from(data))
    return { from: offset, data: bytes.subarray(place, place + data.byteLength) }
  })
}
