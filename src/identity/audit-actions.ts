/** What is logged. Names are `what.verb`. */
export const auditActions = [
  'key.create', 'key.rename', 'key.limits', 'key.rotate', 'key.revoke',
  'user.create', 'user.change', 'user.role', 'user.password', 'user.remove', 'user.signup',
  'session.open', 'session.refuse', 'session.end', 'session.reuse',
  'invitation.create', 'invitation.revoke',
  'vehicle.remove', 'device.remove', 'event.remove', 'connection.end',
  'command.create', 'command.cancel',
  'signal.create', 'signal.change', 'signal.remove',
  'alert.acknowledge', 'alert.clear', 'alert-rule.create', 'alert-rule.change', 'alert-rule.remove'
] as const
export type AuditAction = typeof auditActions[number]

export interface AuditTarget { type: 'key' | 'user' | 'session' | 'invitation' | 'vehicle' | 'device' | 'event' | 'connection' | 'command' | 'signal' | 'alert' | 'alert-rule', id: string, name: string }

/** Days that entries are kept: sign-ins, of which there are many, less long. */
export const auditRetention = { signIns: 90, others: 365 } as const

const signIns = new Set<AuditAction>(['session.open', 'session.refuse', 'session.end'])

/** Days that an entry is kept. */
export const retentionOf = (action: AuditAction): number => signIns.has(action) ? auditRetention.signIns : auditRetention.others
