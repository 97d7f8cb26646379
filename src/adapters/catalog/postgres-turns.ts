import { createHash } from "node:crypto";
import { SluiceError } from "../../core/errors.ts";
import type { PostgresDatabase } from "./postgres-database.ts";
import { noTurn, turnLimits, type TurnLimits, type Turns } from "./turns.ts";

/** The number of a dataset's lock: 64 bits of a hash. Two datasets with the same one would wait for each other, and no more. */
function keyOf(lake: string, dataset: string): bigint {
  return createHash("sha256")
    .update(JSON.stringify(["sluice.turn", lake, dataset]))
    .digest()
    .readBigInt64BE(0);
}

/** Turns of one lake by locks of the catalog's database: it keeps the queue, and knows who is gone. */
export function postgresTurns(database: PostgresDatabase, lake: string, limits: TurnLimits = turnLimits): Turns {
  return {
    take: async (...datasets) => {
      try {
        const keys = datasets.map((dataset) => keyOf(lake, dataset));
        const release = await database.lock(keys, limits);
        return release === null ? noTurn : { isMine: true, release };
      } catch (fault) {
        if (!(fault instanceof SluiceError)) throw fault;
        return noTurn;
      }
    },
  };
}
