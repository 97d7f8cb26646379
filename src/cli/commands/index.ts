import type { CommandSpec } from "../command.ts";
import type { GroupSpec } from "../program.ts";
import { check } from "./check.ts";
import { consume } from "./consume.ts";
import { contractLint } from "./contract-lint.ts";
import { demo } from "./demo.ts";
import { holdDrop, holdList, holdPublish } from "./hold.ts";
import { quarantineList, quarantineReplay, quarantineShow } from "./quarantine.ts";
import { run } from "./run.ts";
import { snapshots } from "./snapshots.ts";
import { sourceAccept, sourceReset, sourceStatus } from "./source.ts";
import { status } from "./status.ts";
import { traceFile, traceJob, traceRecord, traceSnapshot } from "./trace.ts";
import { unblock } from "./unblock.ts";
import { usage } from "./usage.ts";

/** Every command, in the order that help shows them. */
export const commands: readonly CommandSpec[] = [
  demo,
  run,
  check,
  contractLint,
  status,
  snapshots,
  traceRecord,
  traceSnapshot,
  traceFile,
  traceJob,
  consume,
  usage,
  quarantineList,
  quarantineShow,
  quarantineReplay,
  holdList,
  holdPublish,
  holdDrop,
  unblock,
  sourceStatus,
  sourceAccept,
  sourceReset,
];

/** The groups of commands whose names have two words. */
export const groups: readonly GroupSpec[] = [
  { name: "contract", summary: "Check contracts" },
  { name: "quarantine", summary: "Look at quarantined records and replay them" },
  { name: "hold", summary: "Look at held windows, publish or drop them" },
  { name: "trace", summary: "Follow a record, a version or a file to what it came from and where it went" },
  { name: "source", summary: "See where a source stands, answer a changed or lost one" },
];
