/** A worker process of the crash tests: `lake-worker.ts FOLDER OPERATION KILL_AT [PARTITION COUNT]`; KILL_AT is a number of steps, or the name of one (`NAME:N`: its nth). */
import { randomBytes } from "node:crypto";
import type { Lake, Probe } from "../../../src/core/ports.ts";
import { collect, contract, makeWindow, openLake, partitions, row } from "./lake-fixture.ts";
import { makeReplay } from "./replay-fixture.ts";

const by = { author: "ann", reason: "test" };

/** What goes beyond a byte is every file. */
const anyAge = {
  olderThan: null,
  column: null,
  unreadFor: null,
  bytesMax: 1,
  unowned: false,
  tagged: false,
  location: { file: "orders.odcs.yaml", line: 1, column: 1 },
} as const;

/** One step of work, taken up from where the tables are: the same whether it runs for the first time or after a crash. */
export const operations: Readonly<Record<string, (lake: Lake) => Promise<void>>> = {
  create: async (lake) => {
    await lake.activate(contract);
    await lake.recordStart("orders", [{ ...partitions[0]!, next: 0n }]);
  },
  window: async (lake) => {
    await lake.commitWindow(nextWindow(await positionOf(lake, 0), 0, "window"));
  },
  /** A window whose data file is larger than the test lets any file grow; says which fault came of it. */
  big: async (lake) => {
    const from = await positionOf(lake, 0);
    const values = Array.from({ length: 400 }, (_, i) => row(i, randomBytes(1000).toString("base64")));
    const fault = await lake.commitWindow(makeWindow({ id: "big", from, values })).catch((error: unknown) => error);
    process.stdout.write(`${(fault as { code?: string }).code} ${(fault as { retryable?: boolean }).retryable}`);
  },
  hold: async (lake) => {
    await lake.commitWindow({ ...nextWindow(await positionOf(lake, 0), 0, "hold") });
  },
  publish: async (lake) => {
    const [first] = await lake.held("orders");
    if (first !== undefined) await lake.publishHeld("orders", first.windowId, by);
  },
  drop: async (lake) => {
    const [first] = await lake.held("orders");
    if (first !== undefined) await lake.dropHeld("orders", first.windowId, by);
  },
  rollback: async (lake) => {
    await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: false, ...by });
  },
  "rollback-release": async (lake) => {
    await lake.refs.rollback("orders", { to: "main~1", keepMs: null, releaseKeys: true, ...by });
  },
  rollforward: async (lake) => {
    if ((await lake.refs.rollbacks("orders")).length > 0) await lake.refs.rollForward("orders", { rollback: null, ...by });
  },
  tag: async (lake) => {
    const names = (await lake.refs.list("orders")).map((each) => each.name);
    await lake.refs.create("orders", { kind: "tag", name: `t${names.length}`, version: "main", keepMs: null, ...by });
  },
  compact: async (lake) => {
    await lake.maintenance.compact("orders", { fileBytesTarget: 1 << 27, filesMin: 2 }, false);
  },
  expire: async (lake) => {
    await lake.maintenance.expire("orders", { snapshotAgeMsMax: 0, snapshotsMin: 1 }, false);
  },
  retain: async (lake) => {
    const rule = { action: "expire", place: null, ...anyAge } as const;
    const rules = [{ ...rule, of: "rows" } as const, { ...rule, of: "quarantine" } as const];
    await lake.maintenance.retain("orders", { contractHash: contract.hash, rules, isOwned: true }, "expire", false);
  },
  /** To the archive that the lake's place names. */
  archive: async (lake) => {
    const rule = { action: "archive", of: "rows", place: "cold", ...anyAge } as const;
    await lake.maintenance.retain("orders", { contractHash: contract.hash, rules: [rule], isOwned: true }, "archive", false);
  },
  erase: async (lake) => {
    await lake.maintenance.erase("orders", { target: { kind: "column", column: "s", value: "Erika" }, ...by });
  },
  replay: async (lake) => {
    const open = await collect(lake.quarantined("orders", { states: ["open"] }));
    if (open.length > 0) await lake.commitReplay(makeReplay(`r${process.pid}`, open));
  },
};

/** The next offset of a partition as the table has it. */
export async function positionOf(lake: Lake, partition: number): Promise<bigint> {
  const position = (await lake.state("orders")).positions.find((each) => each.partition === partition);
  if (position === undefined) throw new Error(`partition ${partition} has no position`);
  return position.next;
}

/** Four records from an offset on, the third of them bad. */
export function nextWindow(from: bigint, partition: number, kind: "window" | "hold"): ReturnType<typeof makeWindow> {
  const n = Number(from);
  const values = [row(n), row(n + 1), `bad ${n + 2}`, row(n + 3)];
  const id = `w${process.pid}-${partition}-${from}`;
  return makeWindow({ id, partition, from, values, rejected: [2], ...(kind === "hold" ? { verdict: "hold" } : {}) });
}

/** Kills this process at the nth step, or at the first one of a name, or at the nth of that name (`NAME:N`). */
function killAt(when: string): Probe {
  const [name, nth = "1"] = when.split(":");
  let calls = 0;
  let named = 0;
  return (step) => {
    if (step === name) named++;
    if (++calls !== Number(when) && (step !== name || named !== Number(nth))) return;
    process.kill(process.pid, "SIGKILL");
    // The signal is on its way: nothing may happen any more.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
}

async function commitUpTo(lake: Lake, partition: number, end: bigint): Promise<void> {
  let lost = 0;
  for (;;) {
    const from = await positionOf(lake, partition);
    if (from >= end) break;
    const result = await lake.commitWindow(nextWindow(from, partition, "window"));
    if (result.status === "lost") lost++;
  }
  process.stdout.write(`${lost}\n`);
}

if (import.meta.main) {
  const [folder, operation, kill, partition, end] = process.argv.slice(2) as [string, string, string, string?, string?];
  const lake = await openLake(folder, { probe: killAt(kill) });
  if (operation === "commit-up-to") await commitUpTo(lake, Number(partition), BigInt(end as string));
  else await operations[operation]!(lake);
  await lake.close();
}
