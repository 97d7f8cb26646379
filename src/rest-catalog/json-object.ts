import { badRequest } from "./rest-error.ts";

/** An object of a request's body, whose members are asked for by name and type; RestError says which is wrong. */
export class JsonObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path = "the body") {
    if (!isObject(value)) throw badRequest(`${path} must be an object`);
    this.value = value;
    this.#path = path;
  }

  #wrong(key: string, wanted: string): Error {
    return badRequest(`${this.#path}: ${key} must be ${wanted}`);
  }

  /** Whether a member is there and not null. */
  has(key: string): boolean {
    return Object.hasOwn(this.value, key) && this.value[key] !== null;
  }

  #member(key: string): unknown {
    return Object.hasOwn(this.value, key) ? this.value[key] : undefined;
  }

  text(key: string): string {
    const value = this.#member(key);
    if (typeof value !== "string") throw this.#wrong(key, "a text");
    return value;
  }

  flag(key: string): boolean {
    const value = this.#member(key) ?? false;
    if (typeof value !== "boolean") throw this.#wrong(key, "true or false");
    return value;
  }

  integer(key: string): number {
    const value = this.#member(key);
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw this.#wrong(key, "a whole number");
    return value;
  }

  /** A 64-bit number, such as a snapshot id. */
  long(key: string): bigint {
    const value = this.#member(key);
    const long = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof long !== "bigint" || BigInt.asIntN(64, long) !== long) throw this.#wrong(key, "a 64-bit whole number");
    return long;
  }

  object(key: string): JsonObject {
    return new JsonObject(this.#member(key), `${this.#path}.${key}`);
  }

  list(key: string): readonly unknown[] {
    const value = this.#member(key);
    if (!Array.isArray(value)) throw this.#wrong(key, "a list");
    return value;
  }

  objects(key: string): readonly JsonObject[] {
    return this.list(key).map((each, index) => new JsonObject(each, `${this.#path}.${key}[${index}]`));
  }

  integers(key: string): readonly number[] {
    const list = this.list(key);
    if (!list.every((each) => typeof each === "number" && Number.isSafeInteger(each))) throw this.#wrong(key, "a list of whole numbers");
    return list as number[];
  }

  longs(key: string): readonly bigint[] {
    return this.list(key).map((each) => new JsonObject({ [key]: each }, this.#path).long(key));
  }

  texts(key: string): readonly string[] {
    const list = this.list(key);
    if (!list.every((each) => typeof each === "string")) throw this.#wrong(key, "a list of texts");
    return list;
  }

  /** Texts by name; empty where the member is not there. */
  textsByName(key: string): Readonly<Record<string, string>> {
    if (!this.has(key)) return {};
    const { value } = this.object(key);
    if (!Object.values(value).every((each) => typeof each === "string")) throw this.#wrong(key, "an object of texts");
    return value as Readonly<Record<string, string>>;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
