import { encodeDecision } from "../../core/decision-text.ts";
import type { Decision } from "../../core/decision.ts";
import { SluiceError } from "../../core/errors.ts";
import { fieldAt } from "../../core/table-schema.ts";
import type { PuffinBlob } from "../iceberg/puffin-file.ts";
import type { TableDraft } from "../iceberg/table-draft.ts";
import type { Snapshot, TableMetadata } from "../iceberg/table-metadata.ts";
import { currentSchema } from "../iceberg/table-metadata.ts";
import type { LakeContext } from "./lake-context.ts";
import { propertyNames } from "./table-properties.ts";

/** Types of the blobs: what `docs/reference/data-files.md` describes. */
const decisionType = "sluice-decision-v1";
const profileType = "sluice-profile-v1";

function isWanted(metadata: TableMetadata): boolean {
  return metadata.properties[propertyNames.statistics] === "window";
}

/** The profile of a decision where it is to be pinned; null where it is not, or is gone, as an erasure takes it. */
export async function profileToPin(context: LakeContext, metadata: TableMetadata, { profile }: Decision): Promise<Uint8Array | null> {
  if (profile.hash === null || !isWanted(metadata)) return null;
  try {
    return await context.content.get("profile", profile.hash);
  } catch (fault) {
    if (fault instanceof SluiceError && fault.code === "NOT_FOUND") return null;
    throw fault;
  }
}

/** Pins a window's decision and whole profile to the snapshot that promoted it, where the active contract asks for that. */
export function pinStatistics(draft: TableDraft, snapshot: Snapshot, decision: Decision, profile: Uint8Array | null): void {
  if (profile === null || !isWanted(draft.metadata)) return;
  const { fields } = currentSchema(draft.metadata);
  const properties = { "sluice.window-id": decision.windowId, "sluice.verdict": decision.verdict };
  const blobs: PuffinBlob[] = [
    { type: decisionType, fields: [], bytes: encodeDecision(decision), properties },
    {
      type: profileType,
      fields: decision.profile.columns.flatMap(({ path }) => fieldAt(fields, path)?.id ?? []),
      bytes: profile,
      properties: { ...properties, rows: String(decision.profile.rows) },
    },
  ];
  draft.describe(snapshot, blobs);
}
