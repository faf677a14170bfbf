export function isBuildCurrent (): boolean
