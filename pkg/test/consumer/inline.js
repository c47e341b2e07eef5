import { connectDeribit } from 'steadysocket/inline'

import { live } from './live.js'

globalThis.outcome = live(connectDeribit)
