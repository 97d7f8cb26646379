import { createHash } from "node:crypto";
import { join } from "node:path";
import { claimSchema, SqliteClaims } from "../../../src/adapters/catalog/sqlite-claims.ts";
import { SqliteDatabase } from "../../../src/adapters/catalog/sqlite-database.ts";
import { claimKeyBytes } from "../../../src/core/claims.ts";

/** Claims 6,000 keys from its own partition in 30 calls, and tells its parent which it holds. */
const [folder, partition] = process.argv.slice(2) as [string, string];
const database = await SqliteDatabase.open({ file: join(folder, "claims.db"), random: Math.random, busyMsMax: 20_000 }, claimSchema);
const claims = new SqliteClaims(database, "sluice.test");
for (let call = 0; call < 30; call++) {
  const count = 200;
  const names = Array.from({ length: count }, (_, i) => `key ${call * count + i}`);
  const keys = new Uint8Array(count * claimKeyBytes);
  names.forEach((name, i) => keys.set(createHash("sha256").update(name).digest().subarray(0, claimKeyBytes), i * claimKeyBytes));
  const lost = await claims.claim(
    { dataset: "race", rule: "key", horizonMs: null },
    {
      count,
      keys,
      partitions: [{ topic: "t", topicId: "id", partition: Number(partition) }],
      partition: new Uint16Array(count),
      offsets: BigInt64Array.from(names, (_, i) => BigInt(call * count + i)),
      timestampsMs: new BigInt64Array(count).fill(-1n),
    },
  );
  process.send?.(names.filter((_, i) => lost[i] === 0));
}
database.close();
process.disconnect();
