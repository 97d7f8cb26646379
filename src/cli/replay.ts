import type { QuarantineFilter, SchemaRegistry } from "../core/ports.ts";
import { replay } from "../gate/replay.ts";
import type { Invocation } from "./command.ts";
import { loadContracts } from "./contracts.ts";
import { ExitCode } from "./exit-code.ts";
import { UsageError } from "./failure.ts";
import { fileContracts } from "./file-contract.ts";
import { createProgress } from "./progress.ts";
import { openSourceRegistry } from "./registry.ts";
import { chooseDataset, withLake } from "./session.ts";
import { formatCount } from "./table.ts";
import { version } from "./version.ts";

/** What `sluice quarantine replay` does: the configuration's contract becomes the active one if it is newer, then judges what is open. */
export function replayQuarantine(invocation: Invocation, filter: QuarantineFilter): Promise<ExitCode> {
  return withLake(invocation, async ({ config, lake }) => {
    const { terminal } = invocation;
    const dataset = await chooseDataset(lake, invocation);
    const loaded = (await loadContracts(config)).find((one) => one.dataset === dataset);
    if (loaded === undefined) throw new UsageError(`${config.file} names no contract for ${dataset}`);
    const contract = await (await fileContracts(config))(loaded);
    await lake.activate(contract);
    const progress = createProgress(terminal, "replaying", "records");
    const registry = await openSourceRegistry(config);
    const options = { lake, contract, filter, registry, engine: config.engine.kind, attemptsMax: config.quarantine.attemptsMax };
    const totals = await closingAfter(registry, () =>
      replay({
        ...options,
        clock: { now: () => Date.now() },
        worker: config.worker,
        producer: version,
        progress: (done) => progress.update(done.replayed, null),
      }),
    );
    progress.end();
    if (invocation.json) {
      terminal.json({ dataset, contract: { version: contract.version, hash: contract.hash }, ...totals });
    } else if (totals.replayed === 0) {
      terminal.out(`No open record of ${dataset} fits.`);
    } else {
      terminal.out(
        `${formatCount(totals.replayed)} replayed by contract version ${contract.version}: ${formatCount(totals.promoted)} promoted, ${formatCount(totals.failed)} failed again, ${formatCount(totals.parked)} of them parked`,
      );
    }
    return totals.failed > 0 ? ExitCode.findings : ExitCode.clean;
  });
}

async function closingAfter<T>(registry: SchemaRegistry | null, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await registry?.close();
  }
}
