import { isIPv6 } from 'node:net'

/** True for 127.0.0.0/8 and ::1, IPv4-mapped too. */
export function isLoopbackAddress (address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address)
}

/** The address by which attempts are counted: of IPv6 the /64, which is one customer's. */
export function groupAddress (address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const groups = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
