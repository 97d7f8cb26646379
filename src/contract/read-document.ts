import { checkShape } from "./check-shape.ts";
import type { Findings } from "./findings.ts";
import { textAt } from "./node.ts";
import type { ObjectNode } from "./node.ts";
import { apiVersions, odcsDocument } from "./odcs-document.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { OdcsVersion } from "./shape.ts";

/** An ODCS document whose structure is right. */
export interface OdcsSource {
  readonly root: ObjectNode;
  readonly version: OdcsVersion;
}

/** Parses a document and checks its structure against its own version of ODCS; null where `findings` got an error. */
export function readDocument(text: string, file: string, findings: Findings): OdcsSource | null {
  const root = parseYaml(text, file, findings);
  if (root === null) return null;
  if (root.kind !== "object") {
    findings.error("wrong-type", root.at, "a contract must be an object", "it starts with apiVersion, kind, id and version");
    return null;
  }
  const apiVersion = textAt(root, "apiVersion") ?? "";
  const version = Object.hasOwn(apiVersions, apiVersion) ? (apiVersions[apiVersion] as OdcsVersion) : "3.2";
  checkShape(root, odcsDocument, "", { findings, version });
  return findings.hasErrors() ? null : { root, version };
}
