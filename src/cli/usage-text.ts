import type { Config } from "../config/config.ts";
import { SluiceError } from "../core/errors.ts";
import type { TableUsage } from "../core/lake-usage.ts";
import type { DatasetUsage, LastReading } from "../trace/dataset-usage.ts";
import { loadContracts } from "./contracts.ts";
import type { Terminal } from "./terminal.ts";
import { formatBytes, formatCount, formatTime, printable, renderTable } from "./table.ts";

/** A dataset's usage with what the command line knows besides. */
interface ShownUsage extends DatasetUsage {
  readonly owners: readonly string[];
  readonly costMonthly: number | null;
}

const gibi = 2 ** 30;

/** What bytes cost a month at a price a GiB. */
export function costOf(bytes: bigint, pricePerGib: number): number {
  return (Number(bytes) / gibi) * pricePerGib;
}

/** Owners by dataset, as the configured contracts name them; none where a contract can't be read, for that is not what is asked. */
export async function ownersOf(config: Config): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const contracts = await loadContracts(config);
    return new Map(contracts.map((each) => [each.dataset, each.owners.map((owner) => owner.name)]));
  } catch (fault) {
    if (fault instanceof SluiceError) return new Map();
    throw fault;
  }
}

/** The usage of all datasets as a table, the largest first. */
export function printUsage(datasets: readonly ShownUsage[], terminal: Terminal): void {
  if (datasets.length === 0) {
    terminal.out("The lake holds no dataset yet.");
    return;
  }
  const isPriced = datasets.some((each) => each.costMonthly !== null);
  const header = [
    "dataset",
    "owners",
    "rows",
    "main",
    "tags, branches",
    "older",
    "quarantine",
    "written",
    "last read",
    "readings",
    "quarantine read",
  ];
  const sorted = datasets.toSorted((a, b) => (a.bytes < b.bytes ? 1 : -1));
  const rows = sorted.map((each) => [...rowOf(each), ...(isPriced ? [(each.costMonthly ?? 0).toFixed(2)] : []), each.isIdle ? "idle" : ""]);
  for (const line of renderTable([...header, ...(isPriced ? ["a month"] : []), ""], rows)) terminal.out(line);
}

function formatReading(reading: LastReading | null): string {
  return reading === null ? "not known" : `${formatTime(reading.atMs)} by ${printable(reading.by)}`;
}

function rowOf({ dataset, owners, tables, lastCommitMs, lastRead, lastQuarantineRead, readings }: ShownUsage): string[] {
  const [promoted, quarantine] = tables as readonly [TableUsage, TableUsage];
  return [
    dataset,
    printable(owners.join(", ")),
    formatCount(promoted.main.rows),
    formatBytes(promoted.main.bytes),
    formatBytes(promoted.named.bytes),
    formatBytes(promoted.older.bytes),
    formatBytes(quarantine.main.bytes + quarantine.named.bytes + quarantine.older.bytes),
    lastCommitMs === null ? "never" : formatTime(lastCommitMs),
    formatReading(lastRead),
    formatCount(readings),
    formatReading(lastQuarantineRead),
  ];
}
