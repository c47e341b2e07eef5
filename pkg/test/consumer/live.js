/** Receives data, survives a cut, and closes. What became of it is kept for the test to look at. */
export async function live(connectDeribit) {
  const url = new URLSearchParams(location.search).get('exchange')
  const client = await connectDeribit({ environment: 'testnet', url, backoff: { base: 5 } })
  let ticks = 0
  for await (const tick of await client.subscribe('ticker.BTC-PERPETUAL.100ms')) {
    if (tick.instrument_name !== 'BTC-PERPETUAL') throw new Error('not what was asked for')
    if (++ticks === 2) await client.call('local/fault', { command: 'drop @newest' })
    if (ticks > 2 && client.stats.connections === 2) break
  }
  await client.close()
  return { ticks, state: client.state.name }
}
