/** Numbers and times as text, always of the same width for the same magnitude. */

const formatters = new Map<number, Intl.NumberFormat>()

/** With thousands separated and exactly so many decimals; a dash for what is not a number. */
export function number(value: number, decimals: number): string {
  if (Number.isNaN(value)) return '–'
  let formatter = formatters.get(decimals)
  if (formatter === undefined) {
    formatter = new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
    formatters.set(decimals, formatter)
  }
  return formatter.format(value)
}

const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

/** `1.25M` */
export function compact(value: number): string {
  return short.format(value)
}

/** `+0.42 %` */
export function percent(value: number, decimals = 2): string {
  // A true minus sign is as wide as the plus.
  const sign = value > 0 ? '+' : value < 0 ? '−' : ' '
  return `${sign}${number(Math.abs(value), decimals)} %`
}

/** How many decimals a step such as 0.0005 needs. */
export function decimalsOf(step: number): number {
  for (let decimals = 0; decimals < 9; decimals++) {
    const scaled = step * 10 ** decimals
    if (Math.abs(scaled - Math.round(scaled)) < scaled * 1e-6) return decimals
  }
  return 9
}

/** `12:34:56`, UTC, of milliseconds since 1970. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}

/** `640 ms`, `4.2 s`, `3 min 20 s` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** `12.4 MB` */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  const scaled = count / 1_000 ** power
  return `${number(scaled, power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`
}
