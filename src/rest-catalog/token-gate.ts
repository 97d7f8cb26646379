import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { AccessScope } from "../core/access-scope.ts";
import { accessScopes } from "../core/access-scope.ts";
import type { Clock } from "../core/ports.ts";
import type { S3Keys } from "./principal.ts";
import { includes, Principal } from "./principal.ts";
import { RestError } from "./rest-error.ts";

/** A static token: its name is also the client id of OAuth's client credentials, and the token their secret. */
export interface AccessToken {
  readonly name: string;
  readonly token: string;
  readonly scope: AccessScope;
  /** Null: all. */
  readonly namespaces: readonly string[] | null;
  /** Handed to clients that ask for credentials; absent or null: none. */
  readonly s3Keys?: S3Keys | null;
}

/** How long an access token that was given out lasts. */
const lifetimeSeconds = 3600;
const prefix = "sluice1";

interface Claims {
  readonly name: string;
  readonly scope: AccessScope;
  readonly untilMs: number;
}

/** An answer of the OAuth endpoint. */
export interface OAuthAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function isScope(text: string): text is AccessScope {
  return (accessScopes as readonly string[]).includes(text);
}

function principalOf({ name, namespaces, s3Keys = null }: AccessToken, scope: AccessScope): Principal {
  return new Principal(name, scope, namespaces, { s3Keys });
}

function oauthError(status: number, error: string, description: string): OAuthAnswer {
  return { status, body: { error, error_description: description } };
}

/**
 * Tells who asks by their bearer token. Tokens that the OAuth endpoint gives out are signed with the client's own secret: they need no store, hold on
 * every server that has the same configuration, and end with the secret.
 */
export class TokenGate {
  readonly #tokens: readonly AccessToken[];
  readonly #anonymous: Principal | null;
  readonly #clock: Clock;

  constructor(options: { readonly tokens: readonly AccessToken[]; readonly anonymous: AccessScope | null; readonly clock: Clock }) {
    this.#tokens = options.tokens;
    this.#anonymous = options.anonymous === null ? null : new Principal("anonymous", options.anonymous, null, { isKnown: false });
    this.#clock = options.clock;
  }

  /** Who an Authorization header speaks for. Throws a 401, or a 419 for a token that has run out. */
  principal(authorization: string | undefined): Principal {
    const bearer = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (bearer === undefined) {
      if (this.#anonymous !== null) return this.#anonymous;
      throw new RestError(401, "NotAuthorizedException", "Not authenticated: a bearer token is needed");
    }
    const known = this.#tokens.filter((each) => isSame(each.token, bearer)).at(0);
    if (known !== undefined) return principalOf(known, known.scope);
    const found = this.#readGiven(bearer);
    if (found === null) throw new RestError(401, "NotAuthorizedException", "Not authenticated: the token is not known");
    if (found.claims.untilMs <= this.#clock.now()) {
      throw new RestError(419, "AuthenticationTimeoutException", "Credentials have timed out");
    }
    return principalOf(found.token, found.claims.scope);
  }

  #sign(token: AccessToken, payload: string): string {
    return createHmac("sha256", token.token).update(payload).digest("base64url");
  }

  #give(token: AccessToken, scope: AccessScope): OAuthAnswer {
    const claims: Claims = { name: token.name, scope, untilMs: this.#clock.now() + lifetimeSeconds * 1000 };
    const payload = `${prefix}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    const body = {
      access_token: `${payload}.${this.#sign(token, payload)}`,
      token_type: "bearer",
      expires_in: lifetimeSeconds,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      scope,
    };
    return { status: 200, body };
  }

  /** A token that was given out, whether or not it has run out; null where its signature is not ours. */
  #readGiven(text: string): { readonly token: AccessToken; readonly claims: Claims } | null {
    const [mark, claimsText, signature, ...rest] = text.split(".");
    if (mark !== prefix || claimsText === undefined || signature === undefined || rest.length > 0) return null;
    let claims: Partial<Claims> | null;
    try {
      claims = JSON.parse(Buffer.from(claimsText, "base64url").toString("utf8")) as Partial<Claims> | null;
    } catch {
      return null;
    }
    const token = this.#tokens.find((each) => each.name === claims?.name);
    if (token === undefined || !isSame(signature, this.#sign(token, `${mark}.${claimsText}`))) return null;
    // What is signed is ours; a token whose scope was cut since keeps no more than that.
    const { name, scope, untilMs } = claims as Claims;
    return { token, claims: { name, untilMs, scope: includes(token.scope, scope) ? scope : token.scope } };
  }

  /** Answers the OAuth endpoint: client credentials, and the exchange of a token that is still good for a fresh one. */
  exchange(form: URLSearchParams, authorization: string | undefined): OAuthAnswer {
    const grant = form.get("grant_type");
    const token = grant === "client_credentials" ? this.#client(form, authorization) : this.#subject(form);
    if (grant !== "client_credentials" && grant !== "urn:ietf:params:oauth:grant-type:token-exchange") {
      return oauthError(400, "unsupported_grant_type", "client_credentials and token-exchange are served");
    }
    if (token === null) {
      const isClient = grant === "client_credentials";
      return oauthError(401, isClient ? "invalid_client" : "invalid_grant", "the client or its secret is not known");
    }
    // `catalog` is what clients ask for by default: all that theirs may.
    const wanted = (form.get("scope") ?? "catalog").split(" ").filter((each) => each !== "" && each !== "catalog");
    const scope = wanted.at(0) ?? token.scope;
    if (wanted.length > 1 || !isScope(scope) || !includes(token.scope, scope)) {
      return oauthError(400, "invalid_scope", `scope is catalog, or one of read, write, admin and worker up to ${token.scope}`);
    }
    return this.#give(token, scope);
  }

  #client(form: URLSearchParams, authorization: string | undefined): AccessToken | null {
    const basic = /^basic +(\S+)$/i.exec(authorization ?? "")?.[1];
    const pair = basic === undefined ? null : Buffer.from(basic, "base64").toString("utf8");
    const id = form.get("client_id") ?? pair?.slice(0, pair.indexOf(":")) ?? "";
    const secret = form.get("client_secret") ?? pair?.slice(pair.indexOf(":") + 1) ?? "";
    return this.#tokens.find((each) => isSame(each.name, id) && isSame(each.token, secret)) ?? null;
  }

  #subject(form: URLSearchParams): AccessToken | null {
    const subject = form.get("subject_token") ?? "";
    const found = this.#readGiven(subject);
    if (found !== null && found.claims.untilMs > this.#clock.now()) return { ...found.token, scope: found.claims.scope };
    return this.#tokens.find((each) => isSame(each.token, subject)) ?? null;
  }
}
