import type { CommandSpec } from "../command.ts";
import type { GroupSpec } from "../program.ts";
import { branchCreate, branchDrop, branchList } from "./branch.ts";
import { catalogServe } from "./catalog.ts";
import { check } from "./check.ts";
import { consume } from "./consume.ts";
import { contractLint } from "./contract-lint.ts";
import { demo } from "./demo.ts";
import { diff } from "./diff.ts";
import { driftRebase } from "./drift-rebase.ts";
import { erase } from "./erase.ts";
import { holdDrop, holdList, holdPublish } from "./hold.ts";
import {
  incidentAck,
  incidentAssign,
  incidentFalsePositive,
  incidentList,
  incidentReopen,
  incidentResolve,
  incidentShow,
  incidentSnooze,
} from "./incident.ts";
import { maintainCompact, maintainExpire, maintainIncidents, maintainOrphans, maintainRun } from "./maintain.ts";
import { quarantineList, quarantineReplay, quarantineShow } from "./quarantine.ts";
import { releaseCreate, releaseDrop, releaseList, releaseShow } from "./release.ts";
import { maintainStatistics } from "./maintain-statistics.ts";
import { maintainArchive, maintainRetain } from "./retain.ts";
import { rollback, rollforward } from "./rollback.ts";
import { run } from "./run.ts";
import { snapshots } from "./snapshots.ts";
import { sourceAccept, sourceReset, sourceStatus } from "./source.ts";
import { status } from "./status.ts";
import { tagCreate, tagDrop, tagList } from "./tag.ts";
import { traceFile, traceJob, traceRecord, traceSnapshot, traceTag } from "./trace.ts";
import { unblock } from "./unblock.ts";
import { usage } from "./usage.ts";

/** Every command, in the order that help shows them. */
export const commands: readonly CommandSpec[] = [
  demo,
  run,
  catalogServe,
  check,
  contractLint,
  status,
  snapshots,
  diff,
  tagCreate,
  tagList,
  tagDrop,
  branchCreate,
  branchList,
  branchDrop,
  releaseCreate,
  releaseList,
  releaseShow,
  releaseDrop,
  rollback,
  rollforward,
  traceRecord,
  traceSnapshot,
  traceTag,
  traceFile,
  traceJob,
  consume,
  usage,
  quarantineList,
  quarantineShow,
  quarantineReplay,
  incidentList,
  incidentShow,
  incidentAck,
  incidentAssign,
  incidentSnooze,
  incidentResolve,
  incidentFalsePositive,
  incidentReopen,
  holdList,
  holdPublish,
  holdDrop,
  maintainRun,
  maintainRetain,
  maintainArchive,
  maintainCompact,
  maintainExpire,
  maintainIncidents,
  maintainOrphans,
  maintainStatistics,
  driftRebase,
  erase,
  unblock,
  sourceStatus,
  sourceAccept,
  sourceReset,
];

/** The groups of commands whose names have two words. */
export const groups: readonly GroupSpec[] = [
  { name: "catalog", summary: "Serve the lake to other programs" },
  { name: "contract", summary: "Check contracts" },
  { name: "quarantine", summary: "Look at quarantined records and replay them" },
  { name: "incident", summary: "See what is wrong and since when, say who deals with it, and how it ended" },
  { name: "drift", summary: "Say what is normal" },
  { name: "hold", summary: "Look at held windows, publish or drop them" },
  { name: "tag", summary: "Name versions that must be found again" },
  { name: "branch", summary: "Branches that people may write to, beside main" },
  { name: "release", summary: "One tag over several datasets" },
  { name: "trace", summary: "Follow a record, a version or a file to what it came from and where it went" },
  { name: "maintain", summary: "Compact files, expire snapshots, remove what nothing names" },
  { name: "source", summary: "See where a source stands, answer a changed or lost one" },
];
