/** The same generator, which calls `leave` as soon as its reader has had enough. By itself it would first wait for what it
 * waits for, and before its first step it would do nothing at all. */
export function leaving<T>(generator: AsyncGenerator<T, void, undefined>, leave: () => void): typeof generator {
  const { return: end, throw: fail } = generator
  generator.return = (value) => (leave(), end.call(generator, value))
  generator.throw = (error) => (leave(), fail.call(generator, error))
  return generator
}
