/** Reply of one REST call. */
export interface RestReply<T = unknown> { status: number, headers: Headers, body: { success: boolean, data: T, nextCursor?: string | null, code?: string, detail?: string } & Record<string, unknown> }

/** Plain `fetch` with a key, JSON in and out. */
export function restClient (url: string, key?: string) {
  return async <T = Record<string, unknown>>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<RestReply<T>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(key && { 'x-api-key': key }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} }
  }
}
