// Writes examples.ts from Deribit's AsyncAPI and OpenAPI files: `node extract.mjs FOLDER >examples.ts`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (name) => JSON.parse(readFileSync(join(process.argv[2], name), 'utf8'))
const asyncapi = read('deribit_asyncapi.json')
const openapi = read('deribit_openapi.json')
const typed = readFileSync(new URL('../../ts/deribit/methods.ts', import.meta.url), 'utf8')

/** Two elements say as much as twenty. */
const short = (value) => {
  if (Array.isArray(value)) return (typeof value[0] === 'object' ? value.slice(0, 2) : value).map(short)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, short(member)]))
}
const line = (value, type) => `  ${JSON.stringify(short(value))} satisfies ${type},`

/** A channel's name with examples for its parameters. */
const name = ({ address, parameters }) =>
  address.replaceAll(/\{(\w+)\}|\((\w+)\)/g, (_, a, b) => {
    const { enum: words, examples } = parameters[a ?? b] ?? {}
    return words?.includes('100ms') ? '100ms' : (examples ?? words)[0]
  })

const channels = Object.values(asyncapi.channels).flatMap((channel) =>
  Object.values(channel.messages)
    .flatMap((message) => message.examples ?? [])
    .filter((example) => example.name !== 'subscribe_request_example')
    .map((example) => line(example.payload, `DeribitData<'${name(channel)}'>`)),
)

const methods = Object.entries(openapi.paths).flatMap(([path, { get, post }]) => {
  const method = path.slice(1)
  if (!typed.includes(`'${method}':`)) return []
  const { requestBody, responses } = get ?? post
  const params = requestBody?.content['application/json'].examples?.request.value.params
  const result = responses[200].content?.['application/json'].examples.response.value.result
  return [
    ...(params === undefined ? [] : [line(params, `DeribitMethods['${method}']['params']`)]),
    ...(result === undefined ? [] : [line(result, `DeribitMethods['${method}']['result']`)]),
  ]
})

console.log(`// Deribit's own examples (AsyncAPI and OpenAPI 2.1.1), taken out by extract.mjs. That they compile is the test.
import type { DeribitData, DeribitMethods } from 'steadysocket'

export const channels = [
${channels.join('\n')}
]

export const methods = [
${methods.join('\n')}
]`)
