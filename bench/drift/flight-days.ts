import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { jsonCodec } from "../../src/codecs/json.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import type { Contract } from "../../src/core/contract.ts";
import type { Profile } from "../../src/core/profile.ts";
import { profileBatch } from "../../src/sketches/index.ts";
import { flightTexts } from "../flights.ts";
import { textRecords } from "../text-records.ts";

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
    profile: profileBatch(contract, decode(textRecords("flights", texts)), null),
  }));
}
