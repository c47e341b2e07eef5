// What the venue refuses is not of an order's type.
import type { DeribitClient, PlacedOrder } from 'steadysocket'

const on = { instrument_name: 'BTC-PERPETUAL' }
const limit = { ...on, amount: 10, price: 50_000 }
const stop = { trigger: 'mark_price', trigger_price: 40_000 } as const

export const possible: PlacedOrder[] = [
  limit,
  { ...on, contracts: 1, price: 50_000, post_only: true, reject_post_only: true, label: 'first', mmp: true },
  { ...limit, time_in_force: 'fill_or_kill', reduce_only: true },
  { ...limit, time_in_force: 'good_til_day', display_amount: 1000 },
  { ...on, type: 'market', amount: 10 },
  { ...limit, ...stop, type: 'stop_limit', post_only: true },
  { ...on, ...stop, type: 'take_market', amount: 10 },
  { ...on, type: 'trailing_stop', amount: 10, trigger: 'last_price', trigger_offset: 100 },
  {
    ...limit,
    linked_order_type: 'one_triggers_one_cancels_other',
    otoco_config: [
      { direction: 'sell', amount: 10, price: 60_000 },
      { direction: 'sell', type: 'stop_market', amount: 10, ...stop },
    ],
  },
]

export const impossible: PlacedOrder[] = [
  // @ts-expect-error
  { ...limit, time_in_force: 'immediate_or_cancel', post_only: true },
  // @ts-expect-error
  { ...limit, time_in_force: 'good_til_day', post_only: true },
  // @ts-expect-error
  { ...limit, contracts: 1 },
  // @ts-expect-error
  { ...on, price: 50_000 },
  // @ts-expect-error
  { ...on, amount: 10 },
  // @ts-expect-error
  { ...limit, type: 'market' },
  // @ts-expect-error
  { ...on, type: 'market', amount: 10, post_only: true },
  // @ts-expect-error
  { ...limit, type: 'stop_limit' },
  // @ts-expect-error
  { ...limit, ...stop },
  // @ts-expect-error
  { ...limit, ...stop, type: 'stop_limit', mmp: true },
  // @ts-expect-error
  { ...limit, linked_order_type: 'one_triggers_one_cancels_other', otoco_config: [{ direction: 'sell', amount: 10, price: 60_000 }] },
]

export async function told(deribit: DeribitClient): Promise<string> {
  const placed = await deribit.buy(limit)
  switch (placed.outcome) {
    case 'accepted':
      return placed.answer.order.order_id
    case 'rejected':
      return `${placed.error.code}`
    case 'not-sent':
      return placed.error.message
    case 'unknown': {
      const resolution = await placed.pending.resolve()
      return resolution.found ? resolution.order.order_state : 'never'
    }
  }
}
