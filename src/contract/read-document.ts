import { checkShape } from "./check-shape.ts";
import type { Findings } from "./findings.ts";
import { textAt } from "./node.ts";
import type { ObjectNode } from "./node.ts";
import { apiVersions, odcsDocument } from "./odcs-document.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { OdcsVersion } from "./shape.ts";

/** An ODCS document: what is right of its structure. */
export interface OdcsSource {
  readonly root: ObjectNode;
  readonly version: OdcsVersion;
  /** false: something was wrong and is left out, so the rest may be judged, and never used. */
  readonly whole: boolean;
}

/** Parses a document and checks its structure against its own version of ODCS; faults go to `findings`. Null where it can't be read as a contract. */
export function readDocument(text: string, file: string, findings: Findings): OdcsSource | null {
  const root = parseYaml(text, file, findings);
  if (root === null) return null;
  if (root.kind !== "object") {
    findings.error("wrong-type", root.at, "a contract must be an object", "it starts with apiVersion, kind, id and version");
    return null;
  }
  const apiVersion = textAt(root, "apiVersion") ?? "";
  const version = Object.hasOwn(apiVersions, apiVersion) ? (apiVersions[apiVersion] as OdcsVersion) : "3.2";
  // A key that stands twice leaves open what was meant.
  const readable = !findings.hasErrors();
  const sound = checkShape(root, odcsDocument, "", { findings, version });
  return readable && sound?.kind === "object" ? { root: sound, version, whole: !findings.hasErrors() } : null;
}
