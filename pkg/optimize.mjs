// Makes the core small: `node optimize.mjs in.wasm out.wasm named.wasm`. The last keeps the names of its functions.
import { readFileSync, writeFileSync } from 'node:fs'
import binaryen from 'binaryen'

const [input, output, named] = process.argv.slice(2)
const { Features, Function } = binaryen
const module = binaryen.readBinary(readFileSync(input))
module.setFeatures(
  Features.BulkMemory |
    Features.BulkMemoryOpt |
    Features.MutableGlobals |
    Features.Multivalue |
    Features.NontrappingFPToInt |
    Features.ReferenceTypes |
    Features.SignExt,
)

// A panic ends in a trap. What it says before that is heard by nobody, for a page has no standard error.
const PANICS =
  /^(core::panicking::|std::panicking::|core::(slice|str)::.*fail|core::(option|result)::.*_failed|alloc::raw_vec::(handle_error|capacity_overflow)|alloc::alloc::handle_alloc_error)/
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
