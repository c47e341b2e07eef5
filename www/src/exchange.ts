/** Which exchange, and how it is written in the page's address. */
import type { DeribitOptions } from 'steadysocket'

export type Exchange = { kind: 'local' } | { kind: 'test' } | { kind: 'custom'; url: string }

/** Where `make exchange` listens. */
export const LOCAL = 'ws://127.0.0.1:8080/ws/api/v2'
export const TEST = 'wss://test.deribit.com/ws/api/v2'

export function address(exchange: Exchange): string {
  return exchange.kind === 'local' ? LOCAL : exchange.kind === 'test' ? TEST : exchange.url
}

/** How people call it. */
export function title(exchange: Exchange): string {
  if (exchange.kind === 'local') return 'Local'
  if (exchange.kind === 'test') return 'Test network'
  return URL.canParse(exchange.url) ? new URL(exchange.url).host : exchange.url
}

/** The address for people to see: without what may hold a secret. */
export function shown(exchange: Exchange): string {
  const text = address(exchange)
  if (shareable(text) || !URL.canParse(text)) return text
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname} (and more)`
}

/** What the client is told. Only the test network is asked to prove what it is. */
export function environment(exchange: Exchange): Pick<DeribitOptions, 'environment' | 'url'> {
  return { environment: exchange.kind === 'test' ? 'testnet' : 'other', url: address(exchange) }
}

/** Whether an address may be shown to others: one with a user, a password or a query may hold a secret. */
export function shareable(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { username, password, search, hash } = new URL(url)
  return username + password + search + hash === ''
}

/** As the page's address has it; nothing for what does not belong there. */
export function written(exchange: Exchange): string | undefined {
  if (exchange.kind !== 'custom') return exchange.kind
  return shareable(exchange.url) ? exchange.url : undefined
}

/** What the page's address says; local when it says nothing. */
export function read(text: string | null): Exchange {
  if (text === 'test') return { kind: 'test' }
  if (text === null || text === 'local' || text === LOCAL) return { kind: 'local' }
  return text === TEST ? { kind: 'test' } : { kind: 'custom', url: text }
}
