import { wrong } from './errors.js'

/** Refuses a value that an option cannot have. JavaScript has no compiler to tell; what is beyond an option's bounds is
 * told by the core. */
type Rule = (value: unknown, field: string) => void

/** A rule for each option of an object. */
export type Rules<T> = { readonly [K in keyof T]-?: Rule }

const must =
  (what: string, fits: (value: unknown) => boolean): Rule =>
  (value, field) => {
    if (!fits(value)) throw wrong(field, `must be ${what}`)
  }

/** Whether a value has a method of this name: classes of other realms have the same methods. */
const has = (name: string) => (value: unknown) =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function'

export const any: Rule = () => {}
export const signal = must('an AbortSignal', has('throwIfAborted'))
export const limiter = must('a Limiter', has('share'))
export const callable = must('a class', (value) => typeof value === 'function')
export const flag = must('true or false', (value) => typeof value === 'boolean')
export const text = must('a string', (value) => typeof value === 'string')
export const list = must('an array', Array.isArray)
export const time = must('a number of milliseconds', (value) => typeof value === 'number' && value >= 0)
export const count = must('a whole number', (value) => {
  return typeof value === 'number' && value >= 0 && Math.trunc(value) === value
})

/** An object with these options and no others. */
export function group<T>(rules: Rules<T>): Rule {
  const known = new Map<string, Rule>(Object.entries(rules))
  return (value, field) => {
    if (typeof value !== 'object' || value === null) throw wrong(field || 'options', 'must be an object')
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined || member === null) continue
      const path = field === '' ? name : `${field}.${name}`
      const rule = known.get(name)
      if (rule === undefined) throw wrong(path, 'is not an option')
      rule(member, path)
    }
  }
}

export const orFalse =
  (rule: Rule): Rule =>
  (value, field) => {
    if (value !== false) rule(value, field)
  }
