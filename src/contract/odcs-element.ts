import { any, listOf, oneOf, string } from "./shape.ts";
import type { Keys, Shape } from "./shape.ts";

/** Any JSON value: what YAML has beyond JSON (NaN, infinities) is none. */
export const anyJson: Shape = { type: "either", of: [{ type: "scalar" }, listOf(any), { type: "anyObject" }] };

/** A name that references may use; 3.2 allows letters of any script. */
export const stableId: Shape = {
  type: "byVersion",
  "3.1": { type: "string", pattern: { regex: /^[A-Za-z0-9_-]+$/u, words: "letters, digits, _ and - only" } },
  "3.2": { type: "string", pattern: { regex: /^[^\s.#/\\@!%&^]+$/u, words: "no spaces, and none of . # / \\ @ ! % & ^" } },
};

export const tags: Shape = listOf(string);

const customProperty: Shape = {
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    property: { shape: string, required: true, use: "described", doc: "The property's name." },
    value: { shape: anyJson, required: true, use: "described", doc: "Any JSON value." },
    description: { shape: string, use: "ignored", doc: "What it is for." },
    vendor: { shape: string, since: "3.2", use: "ignored", doc: "The tool that it is for." },
  },
};

export const customProperties: Shape = { type: "named", name: "customProperties", shape: () => listOf(customProperty) };

const authoritativeDefinition: Shape = {
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    url: { shape: string, required: true, use: "described", doc: "Where the definition is." },
    type: { shape: string, required: true, use: "described", doc: "What kind of definition it is." },
    description: { shape: string, use: "ignored", doc: "What the definition says." },
  },
};

export const authoritativeDefinitions: Shape = {
  type: "named",
  name: "authoritativeDefinitions",
  shape: () => listOf(authoritativeDefinition),
};

function statements(what: string, doc: string): Shape {
  return listOf({
    type: "object",
    keys: {
      id: { shape: string, use: "ignored", doc: "Name for references." },
      [what]: { shape: string, required: true, use: "ignored", doc },
      ...(what === "question" ? { answer: { shape: string, use: "ignored" as const, doc: "The answer." } } : {}),
      authoritativeDefinitions: { shape: authoritativeDefinitions, use: "ignored", doc: "Links to definitions." },
      tags: { shape: tags, use: "ignored", doc: "Labels." },
      customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
    },
  });
}

/** Context for language models (3.2). */
export const context: Shape = {
  type: "either",
  of: [
    string,
    {
      type: "object",
      keys: {
        instructions: { shape: string, use: "ignored", doc: "Instructions for agents." },
        verifiedStatements: { shape: statements("question", "The question."), use: "ignored", doc: "Questions with their answers." },
        constraints: { shape: statements("constraint", "The constraint."), use: "ignored", doc: "What agents must keep to." },
      },
    },
  ],
};

const synonym: Shape = {
  type: "object",
  keys: {
    id: { shape: stableId, use: "ignored", doc: "Name for references." },
    synonym: { shape: string, required: true, use: "ignored", doc: "The other name." },
    description: { shape: string, use: "ignored", doc: "When it is used." },
    locale: { shape: string, use: "ignored", doc: "Its language." },
    source: { shape: string, use: "ignored", doc: "Where it comes from." },
    status: { shape: string, use: "ignored", doc: "Whether it is in use." },
    customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
  },
};

/** Keys that schema objects and properties share. */
export const elementKeys: Keys = {
  id: { shape: stableId, use: "ignored", doc: "Name for references." },
  name: { shape: string, use: "enforced", doc: "The name in the lake." },
  physicalType: { shape: string, use: "enforced", doc: "The type in the source; it decides the exact kind of numbers and timestamps." },
  description: { shape: string, use: "described", doc: "What it is; stored as the column's comment." },
  businessName: { shape: string, use: "ignored", doc: "The name that people use." },
  deprecated: { shape: { type: "boolean" }, since: "3.2", use: "ignored", doc: "Not for new uses." },
  synonyms: { shape: listOf(synonym), since: "3.2", use: "ignored", doc: "Other names." },
  authoritativeDefinitions: {
    shape: authoritativeDefinitions,
    use: "enforced",
    doc: "On a schema object, an entry of type `jsonSchema` with a relative url is a JSON Schema that whole records must fit; other entries are links.",
  },
  tags: { shape: tags, use: "ignored", doc: "Labels." },
  customProperties: {
    shape: customProperties,
    use: "enforced",
    doc: "The property `sluice` holds Sluice's settings of the dataset, or of the column; others are left to their tools.",
  },
};

const shorthand: Shape = {
  type: "byVersion",
  "3.1": reference(
    /^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$/u,
    /^(?:(?:https?:\/\/)?[A-Za-z0-9._\-/]+\.yaml#)?\/?[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+(?:\/[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+)*$/u,
  ),
  "3.2": reference(
    /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+$/u,
    /^(?:(?:https?:\/\/)?[A-Za-z0-9._\-/]+\.ya?ml#)?\/?[A-Za-z_][A-Za-z0-9_]*\/[^\s.#/\\@!%&^]+(?:\/[A-Za-z_][A-Za-z0-9_]*\/[^\s.#/\\@!%&^]+)*$/u,
  ),
};

function reference(short: RegExp, full: RegExp): Shape {
  const regex = { test: (text: string) => short.test(text) || full.test(text) } as RegExp;
  return { type: "string", pattern: { regex, words: "object.property, or a path such as schema/orders/properties/id" } };
}

const references: Shape = { type: "either", of: [shorthand, listOf(shorthand, { min: 1 })] };

const relationshipKeys: Keys = {
  id: { shape: string, since: "3.2", use: "ignored", doc: "Name for references." },
  type: { shape: oneOf(["foreignKey"]), use: "ignored", doc: "The kind of relationship." },
  to: { shape: references, required: true, use: "ignored", doc: "What is referred to." },
  customProperties: { shape: customProperties, use: "ignored", doc: "Properties of other tools." },
};

/** Foreign keys of a property: where they come from is the property itself. */
export const propertyRelationships: Shape = listOf({ type: "object", keys: relationshipKeys });

/** Foreign keys of a schema object. */
export const schemaRelationships: Shape = listOf({
  type: "object",
  keys: { ...relationshipKeys, from: { shape: references, required: true, use: "ignored", doc: "What refers." } },
  more: (node) => {
    const from = node.entries.get("from")?.value.kind;
    const to = node.entries.get("to")?.value.kind;
    const mixed = (from === "list" && to === "scalar") || (from === "scalar" && to === "list");
    return { keys: {}, faults: mixed ? [{ key: "to", message: `"from" and "to" must both be one reference, or both be lists` }] : [] };
  },
});
