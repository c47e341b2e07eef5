/** The page: what was chosen decides the connection, the connection fills the desk. */
import { Choices } from './choice.js'
import { Connection } from './connection.js'
import { Desk } from './desk.js'
import { ExchangeDialog } from './dialogs/exchange.js'
import { HelpDialog } from './dialogs/help.js'
import { InstrumentDialog } from './dialogs/instrument.js'
import { find, write } from './dom.js'
import { title } from './exchange.js'
import { clock } from './format.js'
import { everySecond } from './frame.js'
import { type Instrument, leading } from './instruments.js'
import { Journal } from './journal.js'
import { Counters } from './panels/counters.js'
import { Faults } from './panels/faults.js'
import { Gauges } from './panels/gauges.js'
import { Link } from './panels/link.js'
import { Log } from './panels/log.js'
import { Outage } from './panels/outage.js'
import { Timeline } from './panels/timeline.js'
import { Scope } from './scope.js'
import { listen, type Shortcut } from './shortcuts.js'
import * as theme from './theme.js'

theme.start()

const choices = new Choices()
const journal = new Journal()
const choose = (instrument: string) => choices.choose({ instrument })
const retry = () => connection.retry()

const exchangeDialog = new ExchangeDialog((exchange) => choices.choose({ exchange }))
const instrumentDialog = new InstrumentDialog(choose)
const helpDialog = new HelpDialog()
const pickExchange = () => exchangeDialog.open(choices.now.exchange)
const pickInstrument = () => instrumentDialog.open(choices.now.instrument)

const desk = new Desk(journal, choose)
const faults = new Faults(journal, () => choices.now.instrument)
const panels = [new Link(retry), new Outage(retry, pickExchange), new Timeline(), new Gauges(), new Counters(journal)]
new Log(journal)

const connecting = new Scope()
let { exchange } = choices.now
let instruments: Instrument[] = []
let connection = connect()

choices.addEventListener('change', () => {
  if (choices.now.exchange === exchange) return look()
  exchange = choices.now.exchange
  connection = connect()
})

/** Leaves the exchange of before, and opens the chosen one. */
function connect(): Connection {
  const signal = connecting.begin()
  const opened = new Connection(exchange, journal, signal)
  instruments = []
  write(find('#exchange-name'), title(exchange))
  write(find('#instrument-name'), choices.now.instrument)
  wait('Connecting')
  for (const panel of panels) panel.show(opened)
  opened.addEventListener('client', () => void fill(opened))
  opened.addEventListener('phase', () => {
    const { name } = opened.phase
    if (opened.client === undefined || name === 'ended') wait(name === 'opening' ? 'Connecting' : 'No connection')
  })
  return opened
}

/** There is nothing to show, and why. */
function wait(text: string): void {
  desk.wait(text)
  faults.clear(text)
}

/** There is a new client: everything on the page comes from it now. */
async function fill({ client, signal }: Connection): Promise<void> {
  if (client === undefined) return
  wait('Loading')
  void faults.offer(client)
  instruments = await desk.load(client, signal)
  if (signal.aborted) return
  instrumentDialog.offer(instruments)
  look()
}

/** Shows the chosen instrument, or the foremost where that is not listed. */
function look(): void {
  const { client, signal } = connection
  const instrument = instruments.find(({ name }) => name === choices.now.instrument) ?? leading(instruments, 1)[0]
  if (client === undefined || instrument === undefined) return
  if (instrument.name !== choices.now.instrument) return choose(instrument.name)
  write(find('#instrument-name'), instrument.name)
  desk.look(client, instrument, signal)
}

/** The instrument so many places further in the list. */
function step(by: number): void {
  const at = instruments.findIndex(({ name }) => name === choices.now.instrument)
  const next = instruments[(at + by + instruments.length) % instruments.length]
  if (next !== undefined) choose(next.name)
}

const shortcuts: Shortcut[] = [
  { keys: ['/', 'i'], meaning: 'Choose the instrument', press: pickInstrument },
  { keys: ['[', ']'], meaning: 'The instrument before, the next', press: (key) => step(key === ']' ? 1 : -1) },
  { keys: ['e'], meaning: 'Choose the exchange', press: pickExchange },
  { keys: ['r'], meaning: 'Try now; make a live connection anew', press: retry },
  { keys: ['t'], meaning: 'Light, dark, or as the system says', press: theme.next },
  { keys: Faults.keys, meaning: 'Break it (local exchange)', press: (key) => faults.press(Number(key) - 1) },
  { keys: ['?'], meaning: 'This list', press: () => helpDialog.open() },
]
helpDialog.explain(shortcuts)
listen(shortcuts, () => helpDialog.singleKeys)
find('#pick-exchange').addEventListener('click', pickExchange)
find('#pick-instrument').addEventListener('click', pickInstrument)
find('#show-help').addEventListener('click', () => helpDialog.open())
everySecond(() => {
  write(find('#clock'), `${clock(Date.now())} UTC`)
  // A tab in the background shows its title only.
  document.title = connection.phase.name === 'live' ? desk.headline : `Not live: ${choices.now.instrument}`
})
