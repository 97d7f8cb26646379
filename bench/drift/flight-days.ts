import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { jsonCodec } from "../../src/codecs/json.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import type { Records } from "../../src/core/records.ts";
import { allocateRecords } from "../../src/core/records.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import { flightTexts } from "../flights.ts";

/** One day of the real flights. */
export interface FlightDay {
  /** YYYY-MM-DD, in New York. */
  readonly date: string;
  /** Its noon, milliseconds since the epoch. */
  readonly noonMs: number;
  readonly profile: Profile;
}

const flightsOfYear = 336_776;
const noonUtcHours = 17;

function recordsOf(texts: readonly Buffer[]): Records {
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  const records = allocateRecords(texts.length, new Uint8Array(size), [{ topic: "flights", topicId: "flights", partition: 0 }]);
  records.keyLength.fill(-1);
  let at = 0;
  texts.forEach((text, row) => {
    records.bytes.set(text, at);
    records.valueStart[row] = at;
    records.valueLength[row] = text.length;
    at += text.length;
  });
  return records;
}

/** The example's contract of flights. */
export async function flightsContract(): Promise<Contract> {
  const file = fileURLToPath(new URL("../../schemas/examples/flights.odcs.yaml", import.meta.url));
  return (await loadContract(file, (path) => readFile(path))).contract;
}

/** The 365 days of flights from New York in 2013, profiled. */
export async function flightDays(contract: Contract): Promise<readonly FlightDay[]> {
  const byDate = new Map<string, Buffer[]>();
  for await (const texts of flightTexts(flightsOfYear)) {
    for (const text of texts) {
      const [, year, month, day] = /"flight_date":(\d{4})(\d\d)(\d\d)/.exec(text.toString("latin1")) ?? [];
      const date = `${year}-${month}-${day}`;
      const known = byDate.get(date);
      if (known === undefined) byDate.set(date, [text]);
      else known.push(text);
    }
  }
  const decode = jsonCodec.compile(contract);
  return [...byDate].map(([date, texts]) => ({
    date,
    noonMs: Date.parse(`${date}T00:00:00Z`) + noonUtcHours * 3_600_000,
    profile: profileBatch(contract, decode(recordsOf(texts)), null),
  }));
}
