import { join } from "node:path";
import { SluiceError } from "../core/errors.ts";
import type { ConfigDocument, PostgreSQLCatalog, S3Warehouse } from "./config-document.generated.ts";
import { completeTls, readPart, type TlsConfig } from "./config-parts.ts";

/** A lake as its adapter wants it: secrets and certificates read. */
export interface LakeConfig {
  /** The warehouse's folder, unless it is in S3. */
  readonly folder: string;
  /** The catalog's SQLite file, unless it is in PostgreSQL. */
  readonly catalog: string;
  readonly namespace: string;
  readonly s3: {
    readonly uri: string;
    readonly region: string | null;
    readonly endpoint: string | null;
    readonly pathStyle: boolean;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | null;
  } | null;
  readonly postgres: { readonly url: string; readonly password: string | null; readonly tls: TlsConfig | null } | null;
}

/** The `lake` section, whole. Rejects with CONFIG_INVALID, FILE_NOT_FOUND. */
export function completeLake(file: string, lake: ConfigDocument["lake"]): LakeConfig {
  const { folder, catalog, namespace, s3, postgres } = lake;
  if (postgres !== undefined && catalog !== undefined) {
    throw new SluiceError("CONFIG_INVALID", "lake: the catalog is in an SQLite file (catalog) or in PostgreSQL (postgres), not in both", {
      location: { file, line: 1, column: 1 },
    });
  }
  return {
    folder,
    catalog: catalog ?? join(folder, "catalog.db"),
    namespace,
    s3: s3 === undefined ? null : completeS3(s3),
    postgres: postgres === undefined ? null : completePostgres(file, postgres),
  };
}

function completeS3(s3: S3Warehouse): LakeConfig["s3"] {
  const { uri, region = null, endpoint = null, pathStyle = endpoint !== null, accessKeyId, secretAccessKey, sessionToken } = s3;
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? null
      : { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { uri, region, endpoint, pathStyle, credentials };
}

function completePostgres(file: string, postgres: PostgreSQLCatalog): LakeConfig["postgres"] {
  const { url, password, passwordFile, tls } = postgres;
  if (password !== undefined && passwordFile !== undefined) {
    throw new SluiceError("CONFIG_INVALID", "lake.postgres: give password or passwordFile, not both", {
      location: { file, line: 1, column: 1 },
    });
  }
  const read = passwordFile === undefined ? null : readPart(passwordFile, "lake.postgres.passwordFile").replace(/\r?\n$/, "");
  return { url, password: password ?? read, tls: tls === undefined ? null : completeTls(tls, "lake.postgres") };
}
