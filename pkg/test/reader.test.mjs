// How a stream hands its data out, with a core and frames of the test's own.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'

import { Stream } from '../dist/stream.js'

/** What waits in the core, and whether it has ended. */
class Source {
  items = []
  over = false
  #ring = () => {}
  #rings = false
  /** As the core, it rings from within, and only for who found nothing. */
  put(...items) {
    this.items.push(...items)
    if (this.#rings) this.#ring()
  }
  on_ready(ring) {
    this.#ring = ring
  }
  take() {
    this.#rings = this.items.length === 0
    if (!this.#rings) return this.items.shift()
    return this.over ? undefined : null
  }
  dropped = () => 0
  waiting = () => this.items.length
  close() {
    this.over = true
    this.items.length = 0
  }
}

let waiting
const frame = async () => {
  await settled()
  const callbacks = waiting.splice(0)
  callbacks.forEach((callback) => callback())
  await settled()
  return callbacks.length
}
/** Everything that can go on has gone on. */
const settled = () => new Promise(setImmediate)

beforeEach(() => {
  waiting = []
  globalThis.requestAnimationFrame = (callback) => waiting.push(callback)
  globalThis.cancelAnimationFrame = () => {}
})
afterEach(() => {
  delete globalThis.requestAnimationFrame
  delete globalThis.cancelAnimationFrame
})

/** A stream that nobody reads. */
function idle(pace, decode = JSON.parse) {
  const source = new Source()
  return { source, stream: new Stream('', source, decode, undefined, pace) }
}

/** A stream, and what its reader has been given so far. */
function read(pace, of = (stream) => stream.updates(), decode) {
  const { source, stream } = idle(pace, decode)
  const given = []
  const done = (async () => {
    for await (const one of of(stream)) given.push(one.type === 'data' ? one.data : (one.type ?? one))
  })()
  return { source, stream, given, done }
}

test('each value comes as it is', async () => {
  const { source, given, done } = read('each', (stream) => stream)
  source.put('1', ['lagged', 2], '2')
  await settled()
  assert.deepEqual(given, [1, 2])
  source.put('no json')
  await assert.rejects(done, { category: 'protocol', outcome: 'answered' })
  assert.ok(source.over, 'the channel is left')
})

test('a frame gives the newest value, and the others are never parsed', async () => {
  const parsed = []
  const { source, stream, given } = read('newest', undefined, (text) => (parsed.push(text), JSON.parse(text)))
  source.put('1', '2', '3')
  await settled()
  assert.deepEqual(given, [], 'nothing before the frame')
  assert.equal(await frame(), 1)
  assert.deepEqual(given, [3])
  assert.deepEqual(parsed, ['3'])
  assert.equal(stream.dropped, 2)
  assert.equal(await frame(), 0, 'without data nobody asks for frames')
  source.put('4')
  await frame()
  source.put('5')
  await frame()
  assert.deepEqual(given, [3, 4, 5])
})

test('news keeps its place before the newest value', async () => {
  const { source, stream, given } = read('newest')
  const turns = []
  stream.addEventListener('freshness', () => turns.push(stream.freshness))
  source.put('1', ['interrupted', {}], ['resumed'], '2')
  await frame()
  assert.deepEqual(given, ['interrupted', 'resumed', 2])
  assert.deepEqual(turns, ['stale', 'fresh'])
  source.put('3', ['interrupted', {}])
  await frame()
  assert.deepEqual(given.slice(3), [3, 'interrupted'])
  source.put(['resumed'], ['renewing'])
  await settled()
  assert.deepEqual(given.slice(5), ['resumed', 'renewing'], 'news alone waits for no frame')
  assert.deepEqual(turns, ['stale', 'fresh', 'stale', 'fresh', 'stale'])
})

test('a batch has all values of a frame, between two pieces of news', async () => {
  const { source, stream, given } = read('batch')
  source.put('1', '2', ['lagged', 3], '3', 'no json', '4', '5')
  await settled()
  assert.deepEqual(given, [])
  await frame()
  assert.deepEqual(given, [[1, 2], 'lagged', [3], 'invalid', [4, 5]])
  assert.equal(stream.dropped, 0)
})

test('what came before the end is given, what came before leaving is not', async () => {
  const ended = read('newest')
  ended.source.put('1')
  await settled()
  ended.source.over = true
  await frame()
  await ended.done
  assert.deepEqual(ended.given, [1])
  assert.equal(ended.stream.freshness, 'stale')

  const left = read('newest')
  left.source.put('1')
  await settled()
  left.stream.close()
  await left.done
  assert.deepEqual(left.given, [])
})

test('a reader that leaves while it waits, or before it began, leaves at once', async () => {
  for (const begun of [true, false]) {
    for (const leave of ['return', 'throw']) {
      const { source, stream } = idle()
      const reader = stream.updates()
      const next = begun ? reader.next() : undefined
      await settled()
      const left = reader[leave](leave === 'throw' ? new Error('enough') : undefined)
      assert.ok(source.over, `${leave}, ${begun ? 'begun' : 'not begun'}`)
      if (leave === 'throw') await assert.rejects(left, /enough/)
      else assert.deepEqual(await left, { done: true, value: undefined })
      if (begun) assert.deepEqual(await next, { done: true, value: undefined })
    }
  }
})

for (const pace of ['each', 'newest', 'batch']) {
  test(`two readers of one stream share what it gives, and both come to its end (${pace})`, async () => {
    const { source, stream } = idle(pace)
    const given = []
    const readers = [1, 2].map(async () => {
      for await (const one of stream) given.push(one)
    })
    await settled()
    for (let value = 1; value <= 3; value++) {
      source.put(`${value}`)
      await frame()
    }
    source.put('4', ['lagged', 1], '5')
    await frame()
    const all = { each: [1, 2, 3, 4, 5], newest: [1, 2, 3, 5], batch: [[1], [2], [3], [4], [5]] }
    assert.deepEqual(given, all[pace])
    stream.close()
    await Promise.all(readers)
  })
}

for (const [where, frames, millis] of [
  ['a hidden page', true, 250],
  ['Node', false, 16],
]) {
  test(`${where} has no frames, and a timer stands in`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    if (!frames) delete globalThis.requestAnimationFrame
    const { source, given } = read('newest')
    for (let second = 1; second <= 3; second++) {
      source.put('0', `${second}`)
      await settled()
      t.mock.timers.tick(millis - 1)
      await settled()
      assert.equal(given.length, second - 1)
      t.mock.timers.tick(1)
      await settled()
      assert.deepEqual(given, [1, 2, 3].slice(0, second))
    }
  })
}
