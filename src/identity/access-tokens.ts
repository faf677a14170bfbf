/** Seconds an access token is good for. */
export const accessTokenLifetime = 600

/** What an access token says: whose it is and which session it belongs to. */
export interface AccessTokenClaims { sub: string, sid: string }

/** Signs and checks access tokens; the algorithm, issuer, audience and lifetime are its own. */
export interface AccessTokens {
  sign (claims: AccessTokenClaims): string
  /** Null when forged, expired or meant for somebody else. */
  verify (token: string): AccessTokenClaims | null
}

/** True for text in the form of a JSON Web Token. */
export const looksLikeAccessToken = (token: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
