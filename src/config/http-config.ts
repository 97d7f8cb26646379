import type { AccessScope } from "../core/access-scope.ts";
import { SluiceError } from "../core/errors.ts";
import type { ConfigDocument } from "./config-document.generated.ts";
import { readSecret } from "./config-parts.ts";

/** A token of the catalog server, its secret read. */
export interface CatalogTokenConfig {
  readonly name: string;
  readonly token: string;
  readonly scope: AccessScope;
  /** Null: all. */
  readonly namespaces: readonly string[] | null;
  /** Keys of the bucket that clients with it are handed; null: none. */
  readonly s3Keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** The catalog server as it is started. */
export interface CatalogServerConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** Null: nothing without a token. */
  readonly anonymous: AccessScope | null;
  readonly tokens: readonly CatalogTokenConfig[];
  /** How keys of the bucket are made for clients; null: they are not. */
  readonly sessions: { readonly roleArn: string; readonly endpoint: string | null; readonly seconds: number } | null;
}

/** The `http` section, whole. */
export interface HttpConfig extends Omit<ConfigDocument["http"], "catalog"> {
  readonly catalog: CatalogServerConfig;
}

type TokenDocument = ConfigDocument["http"]["catalog"]["tokens"][number];

const tokenCharsMin = 16;

/** Completes the `http` section. Rejects with CONFIG_INVALID, FILE_NOT_FOUND. */
export function completeHttp(file: string, http: ConfigDocument["http"]): HttpConfig {
  const invalid = (message: string): SluiceError =>
    new SluiceError("CONFIG_INVALID", `http.catalog.tokens: ${message}`, { location: { file, line: 1, column: 1 } });
  const complete = ({ name, token, tokenFile, scope, namespaces, s3 }: TokenDocument): CatalogTokenConfig => {
    if ((token === undefined) === (tokenFile === undefined)) throw invalid(`${name}: give one of token and tokenFile`);
    const secret = token ?? readSecret(tokenFile as string, "http.catalog.tokens.tokenFile");
    if (secret.length < tokenCharsMin || /\s/.test(secret))
      throw invalid(`${name}: a token has at least ${tokenCharsMin} characters and no space`);
    return { name, token: secret, scope, namespaces: namespaces ?? null, s3Keys: s3 ?? null };
  };
  const { catalog, ...rest } = http;
  const tokens = catalog.tokens.map(complete);
  const twice = tokens.find((each, index) => tokens.findIndex((other) => other.name === each.name || other.token === each.token) !== index);
  if (twice !== undefined) throw invalid(`${twice.name}: its name or its token is there twice`);
  const anonymous = catalog.anonymous === "none" ? null : catalog.anonymous;
  if (catalog.enabled && anonymous === null && tokens.length === 0)
    throw invalid("nobody could use the catalog: give tokens, or set http.catalog.anonymous");
  const { sessions } = catalog;
  return {
    ...rest,
    catalog: {
      ...catalog,
      anonymous,
      tokens,
      sessions: sessions === undefined ? null : { ...sessions, endpoint: sessions.endpoint ?? null },
    },
  };
}
