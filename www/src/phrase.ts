/** What there is to say about a connection, in words. */
import type { Phase } from './connection.js'
import { duration } from './format.js'

/** How it stands, for the colour. */
export type Light = 'good' | 'wait' | 'bad'

export interface Said {
  light: Light
  /** One or two words. */
  name: string
  /** A sentence. */
  detail: string
  /** How far the wait for the next attempt is, from 0 to 1. */
  progress?: number
}

/** What there is to say about a phase that has lasted for `elapsed` ms. */
export function say(phase: Phase, elapsed: number, where: string): Said {
  switch (phase.name) {
    case 'opening':
      return { light: 'wait', name: 'Connecting', detail: where }
    case 'connecting':
      return { light: 'wait', name: 'Connecting', detail: `Attempt ${phase.attempt}` }
    case 'restoring':
      return { light: 'wait', name: 'Restoring', detail: 'Connected; subscribing again' }
    case 'live':
      return { light: 'good', name: 'Live', detail: `For ${duration(Math.max(1_000, elapsed))}` }
    case 'waiting': {
      const left = Math.max(0, phase.delay - elapsed)
      return {
        light: 'bad',
        name: `Retry in ${seconds(left)}`,
        detail: `Attempt ${phase.attempt}; ${phase.reason.message}`,
        progress: phase.delay === 0 ? 1 : Math.min(1, elapsed / phase.delay),
      }
    }
    case 'failed':
      return phase.delay === undefined
        ? { light: 'bad', name: 'No connection', detail: phase.message }
        : {
            light: 'bad',
            name: `Retry in ${seconds(Math.max(0, phase.delay - elapsed))}`,
            detail: phase.message,
            progress: Math.min(1, elapsed / phase.delay),
          }
    case 'closing':
      return { light: 'wait', name: 'Closing', detail: '' }
    case 'ended':
      return { light: 'bad', name: 'Ended', detail: phase.reason.message }
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
