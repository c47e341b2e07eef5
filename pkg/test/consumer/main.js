import { connectDeribit } from 'steadysocket'

import { live } from './live.js'

globalThis.outcome = live(connectDeribit)
