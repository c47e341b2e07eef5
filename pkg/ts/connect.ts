import { abortable } from './abort.js'
import { Client } from './client.js'
import init, { Core } from './core.js'
import { toError, wrong } from './errors.js'
import type { Limiter } from './limiter.js'
import { checkJsonRpc, type JsonRpcOptions, type Options } from './options.js'

/** A URL, or what is asked for one at each attempt: for tokens that expire, or a choice of hosts. */
export type Url = string | URL | (() => string | Promise<string>)

/** Connects, and keeps the connection up from then on. Throws a `SteadyError` when the first attempt fails. */
export type Connect = <M extends object = Record<string, unknown>>(
  url: Url,
  options?: JsonRpcOptions,
) => Promise<Client<M>>

/** Where the wasm comes from; nothing for the file beside the glue. */
export type Source = () => BufferSource | Promise<BufferSource> | undefined

let loading: Promise<unknown> | undefined

/** Loads the core once for all clients. A load that failed is tried again. */
function load(source: Source): Promise<unknown> {
  loading ??= Promise.resolve(source())
    .then((bytes) => (bytes === undefined ? init() : init({ module_or_path: bytes })))
    .catch((error: unknown) => {
      loading = undefined
      throw error
    })
  return loading
}

/** A `connect` for one source of the wasm. */
export function connector(source: Source): Connect {
  return async <M extends object>(url: Url, options: JsonRpcOptions = {}) => {
    checkJsonRpc(options, '')
    const { probe } = options
    if (probe && probe.method === undefined) throw wrong('probe.method', 'is missing')
    const asked = probe && { method: probe.method, params: JSON.stringify(probe.params) }
    const all = { ...options, probe: asked }
    return open(source, url, all, (core) => new Client<M>(core))
  }
}

/** Starts a client and waits until it is live. */
export async function open<C extends Pick<Client, 'close' | 'ended'>>(
  source: Source,
  url: Url,
  options: Options,
  make: (core: Core) => C,
): Promise<C> {
  const { signal, limiter } = options
  signal?.throwIfAborted()
  if (options.WebSocket === undefined && globalThis.WebSocket === undefined) {
    throw wrong('WebSocket', "this runtime has none: give a class with its interface, such as that of npm's ws")
  }
  await load(source)
  const core = start(url, options, limiter)
  const client = make(core)
  const close = () => void client.close()
  try {
    await abortable(signal, (cancel) => core.ready(cancel))
    // It may have aborted since.
    signal?.throwIfAborted()
  } catch (error) {
    close()
    throw error
  }
  signal?.addEventListener('abort', close, { once: true })
  void client.ended.then(() => signal?.removeEventListener('abort', close))
  return client
}

function start(url: Url, options: object, limiter: Limiter | undefined): Core {
  try {
    return new Core(url instanceof URL ? url.href : url, options, limiter?.share())
  } catch (error) {
    throw toError(error)
  }
}
