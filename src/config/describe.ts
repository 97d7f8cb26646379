import type { ErrorObject } from "ajv";
import { closest, distance } from "fastest-levenshtein";
import type { Diagnostic, SourceLocation } from "../core/errors.ts";
import type { SchemaNode } from "./annotated.ts";
import { branches } from "./annotated.ts";

/** Where things stand in the document, by JSON pointer. */
export interface Places {
  value(pointer: string): SourceLocation;
  key(pointer: string): SourceLocation;
}

/** One ajv error in the words of somebody who edits a configuration. */
export function describeError(error: ErrorObject, root: SchemaNode, places: Places, text: (value: unknown) => string): Diagnostic | null {
  const at = error.instancePath;
  const name = at === "" ? "the document" : dotted(at);
  const say = (code: string, message: string, hint: string | null = null, location = places.value(at)): Diagnostic => ({
    severity: "error",
    code,
    message,
    hint,
    location,
  });
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties": {
      const property = String(params["additionalProperty"]);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      const pointer = `${at}/${property.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      return say("unknown-key", `${at === "" ? "" : `${name}: `}unknown key "${property}"`, nearest(property, known), places.key(pointer));
    }
    case "required":
      // The choice between a password and a file for it is told once, by `oneOf`; a missing kind by `discriminator`.
      return error.schemaPath.includes("/oneOf/") || params["missingProperty"] === "kind"
        ? null
        : say("missing-key", `${name}: "${String(params["missingProperty"])}" is missing`);
    case "oneOf":
      return say("choice", `${name}: needs "password" or "passwordFile", and not both`);
    case "discriminator": {
      const allowed = branches(root, error.parentSchema as SchemaNode).map((one) => String(one.properties?.["kind"]?.const));
      const given = params["tagValue"];
      if (typeof given !== "string") return say("missing-key", `${name}: "kind" is missing; one of ${allowed.join(", ")}`);
      return say(
        "unknown-kind",
        `${name}: no kind "${given}"; one of ${allowed.join(", ")}`,
        slip(given, allowed),
        places.value(`${at}/kind`),
      );
    }
    case "enum": {
      const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
      return say("not-allowed", `${name}: ${text(error.data)} is not one of ${allowed.join(", ")}`, slip(String(error.data), allowed));
    }
    case "type":
      return say("wrong-type", `${name}: must be ${article(String(params["type"]))}, not ${text(error.data)}`);
    case "pattern":
    case "minLength":
    case "minimum":
    case "maximum":
    case "minItems":
      return say("out-of-range", `${name}: ${text(error.data)} ${limitOf(error.keyword, params)}`, descriptionOf(error));
    case "dependentRequired":
      return say("missing-key", `${name}: "${String(params["property"])}" needs "${String(params["missingProperty"])}"`);
    default:
      return say("invalid", `${name}: ${error.message ?? error.keyword}`);
  }
}

/** `did you mean ...` if a known name is near enough for a slip; else what is known. */
function nearest(given: string, known: readonly string[]): string | null {
  return slip(given, known) ?? (known.length === 0 ? null : `known: ${known.join(", ")}`);
}

/** `did you mean ...` if a known name is near enough for a slip, else null. */
export function slip(given: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const lower = given.toLowerCase();
  const best = closest(
    lower,
    known.map((one) => one.toLowerCase()),
  );
  if (distance(lower, best) > Math.max(2, Math.floor(given.length / 3))) return null;
  return `did you mean "${known.find((one) => one.toLowerCase() === best) as string}"?`;
}

function limitOf(keyword: string, params: Record<string, unknown>): string {
  switch (keyword) {
    case "minLength":
      return "is empty";
    case "minItems":
      return `has fewer than ${String(params["limit"])} entries`;
    case "pattern":
      return "has the wrong form";
    default:
      return `is not ${String(params["comparison"])} ${String(params["limit"])}`;
  }
}

function descriptionOf(error: ErrorObject): string | null {
  return (error.parentSchema as { description?: string } | undefined)?.description ?? null;
}

function dotted(pointer: string): string {
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
