import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { commands } from "../../src/cli/commands/index.ts";
import { configSchema } from "../../src/config/config.ts";
import { generateCliPage } from "./cli-page.ts";
import { generateConfigPage } from "./config-page.ts";
import { generateDashboard } from "./dashboards.ts";
import { generateErrorsPage } from "./errors-page.ts";
import { generateConfigTypes } from "./config-types.ts";
import { generateContractPage } from "./contract-page.ts";
import { generateRulesPage } from "./rules-page.ts";
import { generateTelemetryPage } from "./telemetry-page.ts";
import { datasetSettingsSchema, sluiceRuleSchema } from "./shape-schema.ts";

/** A file that is made from something else in the project; `path` is below the project's root. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** Every generated file of the project, as it should stand. */
export async function generateAll(home: string): Promise<readonly GeneratedFile[]> {
  const schemaFile = pathToFileURL(join(home, "schemas/config.schema.json"));
  return [
    { path: "src/config/config-document.generated.ts", text: await generateConfigTypes(schemaFile) },
    { path: "docs/reference/config.md", text: generateConfigPage(configSchema) },
    { path: "docs/reference/errors.md", text: generateErrorsPage() },
    { path: "deploy/grafana/dashboards/sluice.json", text: generateDashboard() },
    { path: "docs/reference/telemetry.md", text: generateTelemetryPage() },
    { path: "docs/reference/cli.md", text: generateCliPage(commands) },
    { path: "docs/reference/contract.md", text: generateContractPage() },
    { path: "docs/reference/rules.md", text: generateRulesPage() },
    { path: "schemas/sluice-rule.schema.json", text: sluiceRuleSchema() },
    { path: "schemas/sluice-contract.schema.json", text: datasetSettingsSchema() },
  ];
}
