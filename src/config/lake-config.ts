import { join } from "node:path";
import { SluiceError } from "../core/errors.ts";
import type { TlsOptions } from "../core/tls.ts";
import type { Archive, ConfigDocument, PostgreSQLCatalog, RESTCatalog, S3Warehouse } from "./config-document.generated.ts";
import { completeTls, readSecret } from "./config-parts.ts";

/** A place in S3, its credentials read. */
interface S3Place {
  readonly uri: string;
  readonly region: string | null;
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | null;
}

/** A lake as its adapter wants it: secrets and certificates read. */
export interface LakeConfig {
  /** The warehouse's folder, unless it is in S3. */
  readonly folder: string;
  /** The catalog's SQLite file, unless it is in PostgreSQL. */
  readonly catalog: string;
  readonly namespace: string;
  readonly s3: S3Place | null;
  /** Where old data files may be moved to: each a folder, unless it is in S3. */
  readonly archives: readonly { readonly name: string; readonly folder: string; readonly s3: S3Place | null }[];
  readonly postgres: { readonly url: string; readonly password: string | null; readonly tls: TlsOptions | null } | null;
  readonly rest: {
    readonly uri: string;
    readonly warehouse: string | null;
    readonly auth:
      | { readonly kind: "bearer"; readonly token: string }
      | { readonly kind: "client"; readonly id: string; readonly secret: string; readonly scope: string; readonly tokenUri: string | null }
      | null;
    readonly tls: TlsOptions | null;
    readonly timeoutMs: number;
    /** Whether the server is asked for keys of the tables' files. */
    readonly vended: boolean;
  } | null;
}

/** The `lake` section, whole. Rejects with CONFIG_INVALID, FILE_NOT_FOUND. */
export function completeLake(file: string, lake: ConfigDocument["lake"]): LakeConfig {
  const { folder, catalog, namespace, s3, postgres, rest, archives } = lake;
  if (postgres !== undefined && catalog !== undefined) {
    throw new SluiceError("CONFIG_INVALID", "lake: the catalog is in an SQLite file (catalog) or in PostgreSQL (postgres), not in both", {
      location: { file, line: 1, column: 1 },
    });
  }
  if (rest?.vended === true && s3 === undefined) {
    throw new SluiceError("CONFIG_INVALID", "lake.rest.vended: keys are for a lake in S3 (lake.s3)", {
      location: { file, line: 1, column: 1 },
    });
  }
  return {
    folder,
    catalog: catalog ?? join(folder, "catalog.db"),
    namespace,
    s3: s3 === undefined ? null : completeS3(s3),
    archives: archives.map((each) => completeArchive(file, each)),
    postgres: postgres === undefined ? null : completePostgres(file, postgres),
    rest: rest === undefined ? null : completeRest(file, rest),
  };
}

function completeArchive(file: string, { name, folder, s3 }: Archive): LakeConfig["archives"][number] {
  if ((folder === undefined) === (s3 === undefined)) {
    throw new SluiceError("CONFIG_INVALID", `lake.archives: ${name} is in a folder or in S3: give one of them`, {
      location: { file, line: 1, column: 1 },
    });
  }
  return { name, folder: folder ?? "", s3: s3 === undefined ? null : completeS3(s3) };
}

function completeS3(s3: S3Warehouse): S3Place {
  const { uri, region = null, endpoint = null, pathStyle = endpoint !== null, accessKeyId, secretAccessKey, sessionToken } = s3;
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? null
      : { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { uri, region, endpoint, pathStyle, credentials };
}

/** A secret given as text or in a file; null where it is given in neither way. Rejects with CONFIG_INVALID where it is in both. */
function secretOf(file: string, setting: string, text: string | undefined, path: string | undefined): string | null {
  if (text !== undefined && path !== undefined) {
    const message = `${setting}: give it as text or in a file, not both`;
    throw new SluiceError("CONFIG_INVALID", message, { location: { file, line: 1, column: 1 } });
  }
  return path === undefined ? (text ?? null) : readSecret(path, `${setting}File`);
}

function completePostgres(file: string, postgres: PostgreSQLCatalog): LakeConfig["postgres"] {
  const { url, password, passwordFile, tls } = postgres;
  const secret = secretOf(file, "lake.postgres.password", password, passwordFile);
  if (secret !== null && new URL(url).username === "") {
    const message = "lake.postgres: with a password, the url must name a user, such as postgres://sluice@db/lake";
    throw new SluiceError("CONFIG_INVALID", message, { location: { file, line: 1, column: 1 } });
  }
  return { url, password: secret, tls: tls === undefined ? null : completeTls(tls, "lake.postgres") };
}

function completeRest(file: string, rest: RESTCatalog): LakeConfig["rest"] {
  const { uri, warehouse = null, clientId, oauthUri = null, scope, tls, timeoutMs, vended } = rest;
  const token = secretOf(file, "lake.rest.token", rest.token, rest.tokenFile);
  const secret = secretOf(file, "lake.rest.clientSecret", rest.clientSecret, rest.clientSecretFile);
  if ((clientId === undefined) !== (secret === null) || (token !== null && secret !== null)) {
    const message = "lake.rest: give clientId with clientSecret or clientSecretFile, or token or tokenFile, or none of them";
    throw new SluiceError("CONFIG_INVALID", message, { location: { file, line: 1, column: 1 } });
  }
  const isClient = clientId !== undefined && secret !== null;
  const client = isClient ? ({ kind: "client", id: clientId, secret, scope, tokenUri: oauthUri } as const) : null;
  const auth = token === null ? client : ({ kind: "bearer", token } as const);
  return { uri, warehouse, auth, tls: tls === undefined ? null : completeTls(tls, "lake.rest"), timeoutMs, vended };
}
