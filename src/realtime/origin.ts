/** True for an origin whose pages may connect: the server's own, as it was addressed or is published, or a listed one. */
export function isOwnOrigin (origin: string, addressed: string, { publicUrl, corsOrigins }: { publicUrl?: string, corsOrigins: string[] }): boolean {
  if (origin === addressed || corsOrigins.includes(origin)) return true
  return publicUrl !== undefined && origin === new URL(publicUrl).origin
}
