interface Fetcher {
  fetch? (url: string, options: { headers?: Record<string, string>, cache: string, signal: unknown }): Promise<{ status: number }>
}

// Milliseconds.
const PATIENCE = 5000

/**
 * Whether the server refuses a credential. A failed upgrade hides its reason from pages, and
 * from most socket classes elsewhere, so the same server is asked over HTTP. False for any
 * other answer, or none: then it is the network or the server, and worth another try.
 * @param credential undefined for the browser's cookie
 */
export async function isRefused (url: string, credential: string | undefined): Promise<boolean> {
  try {
    const answer = await (globalThis as unknown as Fetcher).fetch?.(new URL('/api/auth/me', url.replace(/^ws/, 'http')).href, {
      ...(credential !== undefined && { headers: { 'x-api-key': credential } }),
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE)
    })
    return answer?.status === 401
  } catch {
    return false
  }
}
