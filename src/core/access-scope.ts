/** What a token of the catalog may do; each scope includes those before it. `worker`: what a worker of Sluice does to the lake's own tables. */
export const accessScopes = ["read", "write", "admin", "worker"] as const;
export type AccessScope = (typeof accessScopes)[number];
