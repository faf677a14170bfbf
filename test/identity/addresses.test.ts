import { test } from 'tap'
import { groupAddress, isLoopbackAddress } from '../../src/identity/addresses.js'

for (const [address, group] of [
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '::ffff:203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64']
] as const) {
  test(`counts ${address} as ${group}`, async (t) => { t.equal(groupAddress(address), group) })
}

for (const [address, local] of [['127.0.0.1', true], ['127.8.8.8', true], ['::1', true], ['::ffff:127.0.0.1', true], ['10.0.0.1', false], ['::ffff:10.0.0.1', false], ['2001:db8::1', false], ['', false]] as const) {
  test(`takes ${address || 'no address'} for ${local ? 'local' : 'remote'}`, async (t) => { t.equal(isLoopbackAddress(address), local) })
}
