import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../src/adapters/broker/cache-folder.ts";
import { flightTexts } from "../flights.ts";

/** A fault of a kind: the text it replaces in a row's JSON, and what comes instead. */
const faults: readonly (readonly [RegExp, string])[] = [
  [/"carrier":"[^"]*"/, '"carrier":null'],
  [/"origin":"[^"]*"/, '"origin":null'],
  [/"dest":"[^"]*"/, '"dest":null'],
  [/"sched_hour":"[^"]*"/, '"sched_hour":null'],
  [/"distance_mi":[^,}]*/, '"distance_mi":6500'],
  [/"dep_delay_min":[^,}]*/, '"dep_delay_min":9999'],
  [/"air_time_min":[^,}]*/, '"air_time_min":2'],
  [/"sched_dep_hhmm":[^,}]*/, '"sched_dep_hhmm":2760'],
  [/"flight_number":[^,}]*/, '"flight_number":0'],
  [/"carrier":"[^"]*"/, '"carrier":"??"'],
  [/"origin":"[^"]*"/, '"origin":"XXX"'],
  [/"tailnum":("[^"]*"|null)/, '"tailnum":"bad tail!"'],
  [/"dest":"[^"]*"/, '"dest":"sfo1"'],
  [/"air_time_min":[^,}]*,"distance_mi":[^,}]*/, '"air_time_min":700,"distance_mi":600'],
];

/** What the file holds, so that every contestant's findings can be compared. */
export interface PeerRows {
  readonly path: string;
  readonly rows: number;
  /** Rows that break a rule on their own. */
  readonly faulty: number;
  /** Rows with the key of the row before. */
  readonly repeated: number;
}

/**
 * A million flights with a `flight_id` in front, one row a line; every hundredth breaks one of the rules or repeats the key of the row before. Made once, in the
 * cache.
 */
export async function peerRows(rows = 1_000_000): Promise<PeerRows> {
  const folder = join(cacheFolder(), "bench-peers");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `rows-${rows}-1.ndjson`);
  const kinds = faults.length + 1;
  const bad = Math.floor(rows / 100);
  const repeated = Math.floor(bad / kinds);
  const known = { path, rows, faulty: bad - repeated, repeated };
  if (existsSync(path)) return known;
  const out = createWriteStream(`${path}.part`);
  let row = 0;
  for await (const texts of flightTexts(rows)) {
    const lines: string[] = [];
    for (const text of texts) {
      row++;
      let line = text.toString("latin1");
      let id = 10_000_000 + row;
      if (row % 100 === 0) {
        const kind = (row / 100 - 1) % kinds;
        const fault = faults[kind];
        if (fault === undefined) id--;
        else line = line.replace(...fault);
      }
      lines.push(`{"flight_id":${id},${line.slice(1)}\n`);
    }
    if (!out.write(lines.join(""), "latin1")) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  renameSync(`${path}.part`, path);
  return known;
}
