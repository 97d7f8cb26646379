import type { AccessScope } from "../core/access-scope.ts";
import { accessScopes } from "../core/access-scope.ts";
import { forbidden } from "./rest-error.ts";

/** Whether one scope includes another. */
export function includes(scope: AccessScope, wanted: AccessScope): boolean {
  return accessScopes.indexOf(scope) >= accessScopes.indexOf(wanted);
}

/** Static keys of a bucket. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Who asks, and what they may. */
export class Principal {
  readonly name: string;
  readonly scope: AccessScope;
  /** Dotted names; null: all. */
  readonly namespaces: readonly string[] | null;
  /** What they may be handed to reach files with; null: nothing. */
  readonly s3Keys: S3Keys | null;
  /** Whether it showed a token. */
  readonly isKnown: boolean;

  constructor(
    name: string,
    scope: AccessScope,
    namespaces: readonly string[] | null,
    { s3Keys = null, isKnown = true }: { readonly s3Keys?: S3Keys | null; readonly isKnown?: boolean } = {},
  ) {
    this.name = name;
    this.scope = scope;
    this.namespaces = namespaces;
    this.s3Keys = s3Keys;
    this.isKnown = isKnown;
  }

  /** Whether a namespace is within reach: one of its own, or below one. */
  reaches(namespace: string): boolean {
    return this.namespaces === null || this.namespaces.some((own) => namespace === own || namespace.startsWith(`${own}.`));
  }

  /** Whether a namespace may be seen in lists: within reach, or above what is. */
  sees(namespace: string): boolean {
    return this.reaches(namespace) || (this.namespaces ?? []).some((own) => own.startsWith(`${namespace}.`));
  }

  /** Throws a 403 where the scope, or the namespace, is out of reach. */
  need(scope: AccessScope, namespace: string | null): void {
    if (!includes(this.scope, scope)) throw forbidden(`${this.name} may ${this.scope}; this needs ${scope}`);
    if (namespace !== null && !this.reaches(namespace)) throw forbidden(`${this.name} has no access to namespace ${namespace}`);
  }
}
