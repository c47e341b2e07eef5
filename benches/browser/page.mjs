// Runs in the page: connects as one contestant does, and says when all of a load has been taken.
import { WebSocket as PartySocket } from 'partysocket'
import ReconnectingWebSocket from 'reconnecting-websocket'
import { Client as RpcWebSocket } from 'rpc-websockets'
import { connect, connectDeribit } from 'steadysocket'

import { BOOK, INSTRUMENT, LOADS, MIXED, TICKERS } from './loads.mjs'

/** Subscribes as one does by hand, and gives each message's text or object to `read`. */
function byHand(socket, channels, read) {
  const request = { jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels } }
  return new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(JSON.stringify(request))
    socket.onerror = reject
    socket.onmessage = () => {
      socket.onmessage = read
      resolve()
    }
  })
}

/** Gives each notification to whoever handles its channel, as an object. */
function parsed(handlers) {
  return ({ data }) => {
    const { params } = JSON.parse(data)
    handlers.get(params.channel)?.(params.data)
  }
}

const each = (channels, take) => new Map(channels.map((channel) => [channel, take]))

/** Keeps the newest of each channel, and hands that out once a frame. */
function framed(channels, take) {
  const newest = new Map()
  const flush = () => {
    for (const data of newest.values()) take(data)
    newest.clear()
  }
  const keep = (channel) => (data) => {
    if (newest.size === 0) requestAnimationFrame(flush)
    newest.set(channel, data)
  }
  return new Map(channels.map((channel) => [channel, keep(channel)]))
}

/** A book in two maps from price to amount. Gives the change's number to `take`. */
function mapped(take) {
  const sides = { bids: new Map(), asks: new Map() }
  const { bids, asks } = sides
  globalThis.book = () => [bids.size, asks.size, Math.max(...bids.keys()), Math.min(...asks.keys())]
  return (data) => {
    for (const [name, side] of Object.entries(sides)) {
      if (data.type === 'snapshot') side.clear()
      for (const [action, price, amount] of data[name]) {
        if (action === 'delete') side.delete(price)
        else side.set(price, amount)
      }
    }
    take(data.change_id)
  }
}

/** Anything that has the interface of `WebSocket`. */
const sockets = (Class) => ({
  objects: (url, take) => byHand(new Class(url), MIXED, parsed(each(MIXED, take))),
  coalesced: (url, take) => byHand(new Class(url), TICKERS, parsed(framed(TICKERS, take))),
  book: (url, take) => byHand(new Class(url), [BOOK], parsed(new Map([[BOOK, mapped(take)]]))),
})

async function iterate(client, channels, options, take) {
  const streams = await Promise.all(channels.map((channel) => client.subscribe(channel, options)))
  for (const stream of streams) {
    void (async () => {
      for await (const data of stream) take(data)
    })()
  }
}

const QUIET = { allowPlaintext: true, subscriptions: { subscribe: 'public/subscribe' } }

const CONTESTANTS = {
  // What the browser itself does for each message: nobody reads it.
  deaf: {
    objects: (url, take) => byHand(new WebSocket(url), MIXED, take),
    coalesced: (url, take) => byHand(new WebSocket(url), TICKERS, take),
    book: (url, take) => byHand(new WebSocket(url), [BOOK], take),
  },
  raw: sockets(WebSocket),
  partysocket: sockets(PartySocket),
  'reconnecting-websocket': sockets(ReconnectingWebSocket),
  'rpc-websockets': {
    async objects(url, take) {
      const client = new RpcWebSocket(url)
      await new Promise((resolve) => client.once('open', resolve))
      await client.call('public/subscribe', { channels: MIXED })
      const handlers = each(MIXED, take)
      client.on('subscription', ({ channel, data }) => handlers.get(channel)?.(data))
    },
  },
  steadysocket: {
    objects: async (url, take) => iterate(await connect(url, QUIET), MIXED, {}, take),
    coalesced: async (url, take) => iterate(await connect(url, QUIET), TICKERS, { coalesce: 'frame' }, take),
    async book(url, take) {
      const client = await connectDeribit({ environment: 'other', url, allowPlaintext: true })
      const book = await client.book(INSTRUMENT, { coalesce: 'frame' })
      globalThis.book = () => [book.bids().length / 2, book.asks().length / 2, book.bestBid?.price, book.bestAsk?.price]
      void (async () => {
        for await (const { changeId } of book) take(changeId)
      })()
    },
  },
}
for (const contestant of Object.values(CONTESTANTS)) contestant.levels = contestant.book

/** Whether all has come, as each load shows it. A deaf contestant counts. */
const FINISHED = {
  objects: (count) => () => --count === 0,
  coalesced: (count) => {
    const left = new Set(TICKERS)
    // Of each channel the last message is one of the load's last.
    return (data) => {
      if (data.timestamp % count >= count - TICKERS.length) left.delete(`ticker.${data.instrument_name}.100ms`)
      return left.size === 0
    }
  },
  book: (count) => (changeId) => changeId === count,
  levels: (count) => (changeId) => changeId === count,
}

let take = () => {}

globalThis.bench = {
  open: (contestant, load, url) => CONTESTANTS[contestant][load](url, (data) => take(data)),
  /** Settles when all of a load has come. */
  taken: (contestant, load) =>
    new Promise((resolve) => {
      const { count } = LOADS[load]
      const finished = (contestant === 'deaf' ? FINISHED.objects : FINISHED[load])(count)
      take = (data) => {
        if (finished(data)) resolve()
      }
    }),
}
