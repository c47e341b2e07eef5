// What was measured, as a table to read and an object to keep.
import { execFileSync } from 'node:child_process'

/** Lines of the table: the ratio to another contestant that a load must reach, and the one that is aimed for. */
const LINES = {
  objects: { what: 'each message delivered as an object', must: 1.1, aim: 1.0 },
  coalesced: { what: 'newest of a channel once a frame, at 1,000 messages a second a channel', must: 0.7, aim: 0.5 },
  book: { what: 'book of 1,000 levels, 20 of them changed by a message', must: 0.6, aim: 0.45 },
  levels: { what: 'book of 1,000 levels, all of them changed by a message', must: 0.6, aim: 0.45 },
}

/** The wasm client of jsonrpsee 0.26 with its glue, in bytes, compressed by gzip -9. */
const JSONRPSEE = 94 * 1024
const SIZE = { must: 0.6, aim: 0.48 }

export function report(costs, versions, package_) {
  const loads = Object.entries(costs).map(([load, costs]) => summed(load, costs))
  const size = sizeOf(package_)
  const json = { versions, loads: Object.fromEntries(loads.map(({ load, ...rest }) => [load, rest])), size }
  return { table: table(loads, size, versions), json }
}

/** Script is what a contestant costs beyond what the browser does for each message. */
function summed(load, costs) {
  const { deaf, ...others } = costs
  const browser = spread(deaf).median
  const raw = others.raw.map((task) => task - browser)
  const contestants = {}
  for (const [name, tasks] of Object.entries(others)) {
    const script = tasks.map((task) => task - browser)
    contestants[name] = {
      task: spread(tasks),
      script: spread(script),
      toRaw: spread(script.map((µs, round) => µs / raw[round])),
      taskToRaw: spread(tasks.map((µs, round) => µs / others.raw[round])),
    }
  }
  return { load, deaf: spread(deaf), contestants, rounds: deaf.length }
}

/** The median, and the quartiles around it. */
function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))]
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

function sizeOf(package_) {
  const [wasm, glue] = ['core_bg.wasm', 'core.js'].map(
    (name) => execFileSync('gzip', ['-9', '-c', `${package_}/dist/${name}`]).length,
  )
  return { wasm, glue, ratio: (wasm + glue) / JSONRPSEE }
}

function table(loads, size, versions) {
  const lines = loads.map(({ load, contestants }) => {
    const { what, must, aim } = LINES[load]
    return row(`main thread, script: ${what}`, 'WebSocket + JSON.parse', contestants.steadysocket.toRaw, { must, aim })
  })
  const { wasm, glue, ratio } = size
  const bytes = `npm package, wasm + glue, gzip: ${wasm + glue} B`
  lines.push(row(bytes, `jsonrpsee's wasm client, ${JSONRPSEE} B`, { median: ratio, low: ratio, high: ratio }, SIZE))
  const costs = loads.flatMap(({ load, deaf, contestants }) => [
    `| ${load} | the browser alone | ${µs(deaf)} | | |`,
    ...Object.entries(contestants).map(
      ([name, { task, script, toRaw }]) => `| ${load} | ${name} | ${µs(task)} | ${µs(script)} | ${range(toRaw)} |`,
    ),
  ])
  return [
    '| measure | against | ratio | must | aim | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    '| load | contestant | task, µs a message | script, µs | to WebSocket + JSON.parse |',
    '| --- | --- | --- | --- | --- |',
    ...costs,
    '',
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ].join('\n')
}

function row(what, against, ratio, { must, aim }) {
  const verdict = ratio.median <= aim ? 'met, aim reached' : ratio.median <= must ? 'met' : '**not met**'
  return `| ${what} | ${against} | ${range(ratio)} | ≤ ${must} | ≤ ${aim} | ${verdict} |`
}

const µs = ({ median, low, high }) => `${median.toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`
const range = ({ median, low, high }) => `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
