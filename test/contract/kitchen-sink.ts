/** A document that uses every key of a version of ODCS, so that mutations reach all of the structure. */
export function kitchenSink(apiVersion: "v3.0.2" | "v3.1.0" | "v3.2.0"): unknown {
  const new32 = apiVersion === "v3.2.0";
  const only32 = (value: object): object => (new32 ? value : {});
  const customProperties = [
    { id: "cp", property: "owner", value: { any: ["json", 1, null] }, description: "d", ...only32({ vendor: "acme" }) },
    { property: "nothing", value: null },
  ];
  const authoritativeDefinitions = [{ id: "ad", url: "https://example.com", type: "implementation", description: "d" }];
  const context = {
    instructions: "i",
    verifiedStatements: [{ id: "q", question: "q?", answer: "a", authoritativeDefinitions, tags: ["t"], customProperties }],
    constraints: [{ id: "c", constraint: "c", authoritativeDefinitions, tags: ["t"], customProperties }],
  };
  const element = {
    id: "an_id",
    physicalType: "varchar(3)",
    description: "d",
    businessName: "b",
    authoritativeDefinitions,
    tags: ["a", "b"],
    customProperties,
    ...only32({
      deprecated: true,
      synonyms: [{ id: "s", synonym: "other", description: "d", locale: "en", source: "s", status: "x", customProperties }],
    }),
  };
  const quality = [
    {
      id: "q1",
      name: "n",
      type: "library",
      metric: "nullValues",
      rule: "nullCheck",
      arguments: { a: 1 },
      mustBe: 0,
      unit: "percent",
      description: "d",
      dimension: "accuracy",
      severity: "error",
      businessImpact: "b",
      method: "m",
      schedule: "s",
      scheduler: "cron",
      tags: ["t"],
      authoritativeDefinitions,
      customProperties,
    },
    { metric: "rowCount", mustBeBetween: [1, 2] },
    { metric: "rowCount", mustNotBeBetween: [1, 2] },
    { metric: "missingValues", mustNotBe: "x" },
    { metric: "invalidValues", mustBeGreaterThan: 1.5 },
    { metric: "duplicateValues", mustBeGreaterOrEqualTo: 1 },
    { type: "sql", query: "select 1", mustBeLessThan: 1 },
    { type: "sql", metric: "rowCount", query: "select 1", mustBeLessOrEqualTo: 1 },
    { type: "custom", engine: "soda", implementation: "text" },
    { type: "custom", engine: "soda", implementation: { a: 1 } },
    { type: "custom", engine: "soda", implementation: "text", metric: "rowCount", mustBe: 1 },
    { type: "text", description: "words" },
    { description: "words without type" },
  ];
  const relationships = [
    { type: "foreignKey", to: "other.id", customProperties, ...only32({ id: "r" }) },
    { to: ["other.id", "schema/other/properties/id"] },
  ];
  const property = {
    ...element,
    physicalName: "p",
    primaryKey: true,
    primaryKeyPosition: 1,
    required: true,
    unique: true,
    partitioned: true,
    partitionKeyPosition: 1,
    classification: "public",
    encryptedName: "e",
    transformSourceObjects: ["s"],
    transformLogic: "l",
    transformDescription: "d",
    examples: ["x", 1, null, [1], { a: 1 }],
    criticalDataElement: true,
    relationships,
    quality,
    ...only32({
      semanticType: "measure",
      enum: [
        { value: "a", label: "A", id: "a", description: "d", customProperties, authoritativeDefinitions, tags: ["t"] },
        { value: 1 },
        { value: null },
      ],
    }),
  };
  const bounds = { minimum: "a", maximum: "b", exclusiveMinimum: "c", exclusiveMaximum: "d", format: "f" };
  const numbers = { minimum: 1, maximum: 2, exclusiveMinimum: 0, exclusiveMaximum: 3, multipleOf: 0.5 };
  const properties = [
    { ...property, name: "s", logicalType: "string", logicalTypeOptions: { minLength: 1, maxLength: 2, pattern: "x", format: "email" } },
    { name: "d", logicalType: "date", logicalTypeOptions: bounds },
    { name: "ts", logicalType: "timestamp", logicalTypeOptions: { ...bounds, timezone: true, defaultTimezone: "Etc/UTC" } },
    { name: "ti", logicalType: "time", logicalTypeOptions: { ...bounds, timezone: false, defaultTimezone: "Etc/UTC" } },
    { name: "i", logicalType: "integer", logicalTypeOptions: { ...numbers, format: "u16" } },
    { name: "n", logicalType: "number", logicalTypeOptions: { ...numbers, format: "f32" } },
    { name: "b", logicalType: "boolean", logicalTypeOptions: { anything: [1] } },
    {
      name: "o",
      logicalType: "object",
      logicalTypeOptions: { minProperties: 0, maxProperties: 2, required: ["x"] },
      properties: [{ name: "x", logicalType: "string" }],
    },
    {
      name: "a",
      logicalType: "array",
      logicalTypeOptions: { minItems: 0, maxItems: 2, uniqueItems: true },
      items: { logicalType: "object", properties: [{ name: "y", logicalType: "array", items: { name: "z", logicalType: "integer" } }] },
    },
    { name: "u", logicalTypeOptions: {}, properties: [{ name: "v" }], items: { physicalType: "int" } },
    ...(new32
      ? [
          {
            name: "m",
            logicalType: "map",
            map: { key: { logicalType: "string" }, value: { logicalType: "object", properties: [{ name: "w" }] } },
          },
          {
            name: "vec",
            logicalType: "vector",
            logicalTypeOptions: {
              dimensions: 3,
              elementType: "float64",
              distanceMetric: "cosine",
              embeddingModel: "m",
              embeddingModelVersion: "1",
              normalized: true,
            },
          },
        ]
      : []),
  ];
  const role = {
    id: "r",
    role: "r",
    description: "d",
    access: "read",
    firstLevelApprovers: "a",
    secondLevelApprovers: "b",
    customProperties,
  };
  const member = {
    id: "m",
    username: "u",
    name: "n",
    description: "d",
    role: "owner",
    dateIn: "2020-01-01",
    dateOut: "2021-01-01",
    replacedByUsername: "v",
    tags: ["t"],
    customProperties,
    authoritativeDefinitions,
  };
  return {
    apiVersion,
    kind: "DataContract",
    id: "id",
    version: "1.0.0",
    status: "active",
    name: "n",
    tenant: "t",
    tags: ["t"],
    dataProduct: "p",
    domain: "d",
    description: { usage: "u", purpose: "p", limitations: "l", authoritativeDefinitions, customProperties, whatever: 1 },
    team:
      apiVersion === "v3.0.2"
        ? [member]
        : { id: "t", name: "n", description: "d", members: [member], tags: ["t"], customProperties, authoritativeDefinitions },
    roles: [role],
    support: [{ id: "s", channel: "c", url: "u", description: "d", tool: "t", scope: "s", invitationUrl: "i", customProperties }],
    price: { id: "p", priceAmount: 1.5, priceCurrency: "EUR", priceUnit: "GB" },
    slaDefaultElement: "e",
    slaProperties: [
      {
        id: "s",
        property: "latency",
        value: 4,
        valueExt: null,
        unit: "d",
        element: "e",
        driver: "regulatory",
        description: "d",
        scheduler: "cron",
        schedule: "x",
        ...only32({ customProperties, authoritativeDefinitions }),
      },
    ],
    authoritativeDefinitions,
    customProperties,
    contractCreatedTs: "2022-11-15T02:59:43+00:00",
    ...only32({ context }),
    servers: [...servers(new32)].map((server, index) =>
      index === 0 ? { ...server, id: "s", description: "d", environment: "e", roles: [role], customProperties } : server,
    ),
    schema: [
      {
        ...element,
        name: "t",
        physicalName: "topic",
        logicalType: "object",
        dataGranularityDescription: "d",
        properties,
        quality,
        relationships: [
          { type: "foreignKey", from: "a.b", to: "c.d", customProperties, ...only32({ id: "r" }) },
          { from: ["a.b"], to: ["c.d"] },
        ],
        ...only32({ context: "words" }),
      },
    ],
  };
}

function* servers(new32: boolean): Generator<object> {
  const all = { host: "h", port: 1, database: "d", schema: "s", catalog: "c", location: "sftp://x", format: "json" };
  const keys: Record<string, string> = {
    kafka: "host format",
    api: "location",
    athena: "schema catalog",
    azure: "location format",
    databricks: "host catalog schema",
    duckdb: "database schema",
    postgres: "host port database schema",
    sftp: "location format",
    mysql: "host port database",
    custom: "host port database schema catalog location format",
  };
  if (new32) Object.assign(keys, { iceberg: "catalog", exasol: "host port schema", poet: "database host port" });
  for (const [type, names] of Object.entries(keys)) {
    const own = Object.fromEntries(names.split(" ").map((name) => [name, all[name as keyof typeof all]]));
    const more =
      type === "athena" ? { stagingDir: "s3://x", ...(new32 ? { workgroup: "w" } : {}) } : type === "iceberg" ? { catalogUrl: "u" } : {};
    yield { server: type, type, ...own, ...more, ...(new32 && type === "kafka" ? { encoding: "e" } : {}) };
  }
}
