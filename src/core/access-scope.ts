/** What a token of the catalog may do; each scope includes those before it. */
export const accessScopes = ["read", "write", "admin"] as const;
export type AccessScope = (typeof accessScopes)[number];
