/** Choosing the exchange. */
import { find, write } from '../dom.js'
import { type Exchange, LOCAL, shareable, TEST } from '../exchange.js'

export class ExchangeDialog {
  readonly #dialog = find<HTMLDialogElement>('#exchange-dialog')
  readonly #form = find<HTMLFormElement>('form', this.#dialog)
  readonly #url = find<HTMLInputElement>('#custom-url')
  readonly #hint = find('#exchange-hint')
  readonly #choose: (exchange: Exchange) => void

  constructor(choose: (exchange: Exchange) => void) {
    this.#choose = choose
    write(find('#local-url'), LOCAL)
    write(find('#test-url'), TEST)
    this.#form.addEventListener('submit', (event) => this.#submit(event))
    find('#exchange-cancel').addEventListener('click', () => this.#dialog.close())
    this.#form.addEventListener('input', () => this.#check())
    this.#url.addEventListener('focus', () => this.#select('custom'))
  }

  open(now: Exchange): void {
    this.#select(now.kind)
    if (now.kind === 'custom') this.#url.value = now.url
    this.#check()
    this.#dialog.showModal()
    find<HTMLInputElement>('input:checked', this.#form).focus()
  }

  get #chosen(): Exchange {
    const kind = new FormData(this.#form).get('exchange')
    if (kind === 'custom') return { kind, url: this.#url.value.trim() }
    return { kind: kind === 'test' ? 'test' : 'local' }
  }

  #select(kind: Exchange['kind']): void {
    find<HTMLInputElement>(`input[value=${kind}]`, this.#form).checked = true
    this.#check()
  }

  /** Says at once what is wrong with an address, and what will not be in the link. */
  #check(): boolean {
    const chosen = this.#chosen
    const wrong = chosen.kind === 'custom' ? problem(chosen.url) : undefined
    this.#url.setAttribute('aria-invalid', String(wrong !== undefined && this.#url.value !== ''))
    const secret = chosen.kind === 'custom' && wrong === undefined && !shareable(chosen.url)
    write(
      this.#hint,
      (this.#url.value !== '' && wrong) || (secret ? 'Not kept in the link: such an address may hold a secret.' : ''),
    )
    return wrong === undefined
  }

  #submit(event: SubmitEvent): void {
    if (this.#check()) return this.#choose(this.#chosen)
    event.preventDefault()
    write(this.#hint, problem(this.#url.value.trim()) ?? '')
    this.#url.focus()
  }
}

/** Why a browser or the client would refuse an address. */
function problem(text: string): string | undefined {
  if (text === '') return 'An address is needed: wss://…'
  if (!URL.canParse(text)) return 'This is not an address.'
  const { protocol, hostname, hash } = new URL(text)
  if (protocol !== 'wss:' && protocol !== 'ws:') return 'The address must begin with wss:// (or ws:// on this machine).'
  if (hash !== '') return 'The address of a WebSocket has no part after #.'
  const here = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
  return protocol === 'ws:' && !here ? 'Only this machine is spoken to without encryption: use wss://.' : undefined
}
