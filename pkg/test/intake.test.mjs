// How messages enter the core, and what they leave behind.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { here } from './support.mjs'

test('messages enter through one buffer, and only what is taken is parsed', async (t) => {
  const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, here('intake.mjs')])
  const { unread, whileUnread, afterwards, dropped } = JSON.parse(stdout)
  // One call for each message, none for each letter of it, and no timer.
  assert.deepEqual(whileUnread, { encodeInto: 100, decode: 0, charCodeAt: 0, setTimeout: 0, parse: 0 })
  assert.equal(afterwards.parse, 1)
  // It is part of what came last, and so of a string that is there.
  assert.equal(afterwards.decode, 0)
  assert.equal(dropped, 40_099)
  t.diagnostic(`garbage for each message that nobody takes: ${Math.round(unread)} bytes`)
  // It was 1,960 when each message set a timer.
  assert.ok(unread < 1000)
})
