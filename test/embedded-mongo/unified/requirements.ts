import type { Requirement } from './types.js'

/** Why a file or case does not concern a replica set of this version, or undefined if it does. */
export function whyNotConcerned (requirements: Requirement[] | undefined, version: number[]): string | undefined {
  if (requirements === undefined) return undefined
  const reasons = requirements.map(requirement => whyNot(requirement, version))
  return reasons.includes(undefined) ? undefined : reasons[0]
}

function whyNot (requirement: Requirement, version: number[]): string | undefined {
  const { minServerVersion, maxServerVersion, topologies, auth, csfle, serverParameters } = requirement
  if (minServerVersion !== undefined && compareVersions(version, minServerVersion) < 0) return `needs server ${minServerVersion}`
  if (maxServerVersion !== undefined && compareVersions(version, maxServerVersion) > 0) return `needs a server up to ${maxServerVersion}`
  if (topologies !== undefined && !topologies.includes('replicaset')) return `needs the topology ${topologies.join(' or ')}`
  if (auth === true) return 'needs a login'
  if (csfle !== undefined && csfle !== false) return 'needs client-side encryption'
  if (serverParameters !== undefined) return 'needs server parameters'
  return undefined
}

function compareVersions (version: number[], text: string): number {
  const other = text.split('.').map(Number)
  for (let i = 0; i < Math.max(version.length, other.length); i++) {
    const difference = (version[i] ?? 0) - (other[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
