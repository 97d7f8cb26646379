import { customProperties, authoritativeDefinitions, context, stableId, tags } from "./odcs-element.ts";
import { roles, support, team } from "./odcs-people.ts";
import { schemaObject } from "./odcs-properties.ts";
import { servers } from "./odcs-servers.ts";
import { listOf, oneOf, string } from "./shape.ts";
import type { Key, ObjectShape, OdcsVersion, Shape } from "./shape.ts";

const ignored = (shape: Shape, doc: string): Key => ({ shape, use: "ignored", doc });

/** Values of `apiVersion`, newest first, with the structure that each is judged by. */
export const apiVersions: Readonly<Record<string, OdcsVersion>> = {
  "v3.2.0": "3.2",
  "v3.1.0": "3.1",
  "v3.0.2": "3.0",
  "v3.0.1": "3.0",
  "v3.0.0": "3.0",
  "v2.2.2": "3.0",
  "v2.2.1": "3.0",
  "v2.2.0": "3.0",
};

const price: Shape = {
  type: "object",
  keys: {
    id: ignored(stableId, "Name for references."),
    priceAmount: ignored({ type: "number" }, "The price of a unit."),
    priceCurrency: ignored(string, "Its currency."),
    priceUnit: ignored(string, "What is priced."),
  },
};

const slaProperties: Shape = listOf({
  type: "object",
  keys: {
    id: ignored(stableId, "Name for references."),
    property: { ...ignored(string, "What is promised: latency, retention and so on."), required: true },
    value: { ...ignored({ type: "scalar" }, "How much."), required: true },
    valueExt: ignored({ type: "scalar" }, "How much, where the promise needs two values."),
    unit: ignored(string, "Its unit."),
    element: ignored(string, "Which element it is about."),
    driver: ignored(string, "Why it matters."),
    description: ignored(string, "In words."),
    scheduler: ignored(string, "What checks it elsewhere."),
    schedule: ignored(string, "When it is checked elsewhere."),
    customProperties: { ...ignored(customProperties, "Properties of other tools."), since: "3.2" },
    authoritativeDefinitions: { ...ignored(authoritativeDefinitions, "Links to definitions."), since: "3.2" },
  },
});

/** A whole ODCS document. */
export const odcsDocument: ObjectShape = {
  type: "object",
  soundWithout: () => true,
  keys: {
    apiVersion: {
      shape: oneOf(Object.keys(apiVersions)),
      required: true,
      use: "enforced",
      doc: "The version of the standard; it decides which keys there are.",
    },
    kind: { shape: oneOf(["DataContract"]), required: true, use: "enforced", doc: "DataContract." },
    id: { shape: string, required: true, use: "enforced", doc: "The contract's id, the same over all its versions." },
    version: {
      shape: string,
      required: true,
      use: "enforced",
      doc: "The contract's version; with the content's hash it names what records are judged by.",
    },
    status: { shape: string, required: "before3.2", use: "ignored", doc: "Draft, active, retired and so on." },
    name: { shape: string, use: "described", doc: "The contract's name." },
    schema: { shape: listOf(schemaObject), use: "enforced", doc: "The datasets: a contract each." },
    description: {
      shape: {
        type: "object",
        open: true,
        keys: {
          usage: ignored(string, "What it should be used for."),
          purpose: { ...ignored(string, "What it is for."), use: "described" },
          limitations: ignored(string, "What it can't do."),
          authoritativeDefinitions: ignored(authoritativeDefinitions, "Links to definitions."),
          customProperties: ignored(customProperties, "Properties of other tools."),
        },
      },
      use: "described",
      doc: "What the data is; `purpose` describes datasets that say nothing themselves.",
    },
    team: { shape: team, use: "described", doc: "The people behind it: owners in lineage." },
    servers: ignored(servers, "Where the data resides; Sluice takes brokers and catalogs from its own configuration."),
    slaProperties: ignored(
      slaProperties,
      "Promises on service; not enforced, but for `retention` where a rule of the dataset's `sluice` settings says `olderThan: sla`.",
    ),
    slaDefaultElement: ignored(string, "The element that promises are about."),
    roles: ignored(roles, "Who may do what; Sluice grants nothing."),
    support: ignored(support, "Where users get help."),
    price: ignored(price, "What it costs."),
    tenant: ignored(string, "Whose data it is."),
    tags: ignored(tags, "Labels."),
    dataProduct: ignored(string, "The data product that it is part of."),
    domain: ignored(string, "The domain that it is part of."),
    context: { ...ignored(context, "Context for language models."), since: "3.2" },
    authoritativeDefinitions: ignored(authoritativeDefinitions, "Links to definitions of the whole contract."),
    customProperties: ignored(customProperties, "Properties of other tools. Sluice's settings stand at the schema object."),
    contractCreatedTs: ignored(string, "When the contract was written."),
  },
};
