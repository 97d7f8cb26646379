import type { S3Credentials } from "../storage/s3-storage.ts";
import type { VendedGrant } from "../storage/vended-keys.ts";

/** Keys among the properties that a server gives for a table's files; null where there are none for S3. */
function keysIn(properties: unknown): S3Credentials | null {
  if (typeof properties !== "object" || properties === null) return null;
  const given = properties as Readonly<Record<string, unknown>>;
  const text = (name: string): string | null => (typeof given[name] === "string" ? given[name] : null);
  const accessKeyId = text("s3.access-key-id");
  const secretAccessKey = text("s3.secret-access-key");
  if (accessKeyId === null || secretAccessKey === null) return null;
  const sessionToken = text("s3.session-token");
  const endsAtMs = Number(text("s3.session-token-expires-at-ms") ?? Number.NaN);
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== null && { sessionToken }),
    ...(Number.isFinite(endsAtMs) && { expiration: new Date(endsAtMs) }),
  };
}

/**
 * The keys of an answer about a table at a location (specification, `LoadTableResult` and `LoadCredentialsResponse`): those with a prefix; those in `config`,
 * which are for the table's own folder, only where no prefix covers that.
 */
export function vendedGrants(body: unknown, location: string): readonly VendedGrant[] {
  const { config, "storage-credentials": listed } = (body ?? {}) as { readonly config?: unknown; readonly "storage-credentials"?: unknown };
  const folder = `${location.replace(/^s3[an]:/, "s3:")}/`;
  const grants: VendedGrant[] = [];
  for (const each of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
    const { prefix, config: properties } = (each ?? {}) as { readonly prefix?: unknown; readonly config?: unknown };
    const keys = keysIn(properties);
    if (typeof prefix === "string" && prefix.startsWith("s3") && keys !== null)
      grants.push({ prefix: prefix.replace(/^s3[an]:/, "s3:"), keys });
  }
  const own = grants.some(({ prefix }) => folder.startsWith(prefix)) ? null : keysIn(config);
  return own === null ? grants : [...grants, { prefix: folder, keys: own }];
}
