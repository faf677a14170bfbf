/**
 * Writes epoch milliseconds as `Date.prototype.toISOString` does. Samples come in the order
 * of their time, more or less: all but their milliseconds is seldom made anew.
 */
export function createIsoTime (): (time: number) => string {
  let second = Number.NaN
  let start = ''
  return (time) => {
    const current = Math.floor(time / 1000)
    if (current !== second) {
      start = new Date(current * 1000).toISOString().slice(0, -4)
      second = current
    }
    const milliseconds = time - current * 1000
    return `${start}${milliseconds < 10 ? '00' : milliseconds < 100 ? '0' : ''}${milliseconds}Z`
  }
}
