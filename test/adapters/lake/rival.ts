import { randomBytes, randomUUID } from "node:crypto";
import { openLakeCatalog } from "../../../src/adapters/catalog/open-lake-catalog.ts";
import { noTurn } from "../../../src/adapters/catalog/turns.ts";
import type { LakeContext } from "../../../src/adapters/lake/lake-context.ts";
import { createContentStore } from "../../../src/adapters/storage/content-store.ts";
import { openStorage } from "../../../src/adapters/storage/open-storage.ts";
import { placeIn } from "./lake-fixture.ts";

/** A lake's context whose first commit meets another program that was faster; `outcomes`: what became of each commit. */
export async function contextWithRival(
  folder: string,
  rival: () => Promise<void>,
): Promise<{ readonly context: LakeContext; readonly outcomes: readonly string[]; readonly close: () => Promise<void> }> {
  const ports = { clock: { now: () => Date.now() }, random: () => Math.random(), uuid: randomUUID, probe: () => {}, patienceMs: 10_000 };
  const { storage, close: closeStorage } = await openStorage(placeIn(folder), ports);
  const { catalog, close } = await openLakeCatalog(placeIn(folder), { storage, ...ports });
  let isFirst = true;
  const outcomes: string[] = [];
  const context: LakeContext = {
    // A rival takes no turns either.
    turns: { take: async () => noTurn },
    // Everything is written, and about to be committed: another program is first.
    catalog: {
      isJoint: true,
      list: (namespace) => catalog.list(namespace),
      load: (table) => catalog.load(table),
      async commit(changes) {
        if (isFirst) await rival();
        isFirst = false;
        const outcome = await catalog.commit(changes);
        outcomes.push(outcome.status);
        return outcome;
      },
    },
    storage,
    content: createContentStore(storage, "content"),
    io: { storage, uuid: randomUUID, randomBytes: (count) => randomBytes(count), probe: () => {} },
    namespace: "db",
    ...ports,
    snapshotId: () => randomBytes(8).readBigUInt64BE() >> 1n,
    conflictMsMax: 10_000,
  };
  return {
    context,
    outcomes,
    close: async () => {
      await close();
      closeStorage();
    },
  };
}
