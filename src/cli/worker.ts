import { sweepUnfinished } from "../adapters/storage/local-storage.ts";
import { createLog, logEvents } from "../adapters/telemetry/log.ts";
import type { Logger } from "../adapters/telemetry/log.ts";
import { LakeWatch } from "../adapters/telemetry/lake-watch.ts";
import type { Telemetry } from "../adapters/telemetry/telemetry.ts";
import { startTelemetry } from "../adapters/telemetry/telemetry.ts";
import type { Config } from "../config/config.ts";
import type { Contract } from "../core/contract.ts";
import type { GateEvent, Observe } from "../core/events.ts";
import { SluiceError } from "../core/errors.ts";
import type { Position } from "../core/position.ts";
import type { Lake, Probe, Source } from "../core/ports.ts";
import { Gate } from "../gate/gate.ts";
import type { WorkerStatus } from "../http/health.ts";
import { watchContracts } from "./contract-reload.ts";
import { collectAfterLargeRuns } from "./large-runs.ts";
import { openEngine } from "./engine.ts";
import { startMaintenance } from "./maintenance-thread.ts";
import { adapting, fileContracts } from "./file-contract.ts";
import { openSourceRegistry } from "./registry.ts";
import { connectionOf } from "./kafka-connection.ts";
import { openOutboxes } from "./outboxes.ts";
import { openLake } from "./session.ts";
import { sqlQueries } from "./sql-queries.ts";
import { workerTelemetry } from "./telemetry-options.ts";
import { version } from "./version.ts";
import { startServers } from "./worker-servers.ts";

/** How long a worker that ends waits for its sinks; what is left is delivered by the next one. */
const drainMs = 5000;
/** Half-written files of killed processes are removed once nobody can be writing them any more. */
const unfinishedAgeMsMin = 24 * 3600_000;
/** Held windows and a disk's space are for alerts that wait for minutes. */
const lakeLookMs = 30_000;
const ignore = (): void => {};

export interface WorkerOptions {
  readonly config: Config;
  readonly contracts: readonly Contract[];
  readonly probe: Probe;
  /** Told everything, beside log and telemetry. */
  readonly observe: Observe;
  /** Where the log goes; null for none. */
  readonly log: { readonly destination: NodeJS.WritableStream; readonly text: boolean } | null;
}

/** A running worker: gate, sinks and telemetry, wired as a configuration says. */
export interface Worker {
  readonly gate: Gate;
  readonly lake: Lake;
  readonly source: Source;
  /** Where health is served; null where it is not. */
  readonly healthUrl: string | null;
  /** Resolves when a finite source has ended, or after `stop`; rejects on a fault that no retry mends. Everything is closed then. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a worker. Rejects with what the lake, the source or a port in use rejects with. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, probe } = options;
  const adapt = await fileContracts(config);
  const contracts = await Promise.all(options.contracts.map(adapt));
  // A file size limit (ulimit -f) then is an error of the write, which is waited out as a full disk, instead of the process's end.
  process.on("SIGXFSZ", ignore);
  const lake = await openLake(config, probe);
  const source = await createSource(config, contracts, lake);
  const engine = openEngine(config.engine);
  const listeners: ((event: GateEvent) => void)[] = [
    options.observe,
    collectAfterLargeRuns(globalThis.gc === undefined ? undefined : () => globalThis.gc?.()),
  ];
  const observe: Observe = (event) => {
    for (const listener of listeners) listener(event);
  };
  const registry = await openSourceRegistry(config);
  const gate = new Gate({
    lake,
    source,
    ...(registry !== null && { registry }),
    engine,
    engineKind: config.engine.kind,
    sql: sqlQueries,
    contracts,
    clock: { now: () => Date.now() },
    observe,
    probe,
    worker: config.worker,
    producer: version,
    windowBytesMax: Math.floor(config.source.bytesInFlightMax / 3),
    start: config.source.kind === "kafka" ? config.source.start : { at: "earliest" },
  });
  const datasets = contracts.map((one) => one.dataset);
  // Two workers may share a name by mistake: the lease is the process's.
  const holder = `${config.worker}:${process.pid}`;
  const outboxes = openOutboxes({ config, contracts, lake, probe, holder, observe });
  const lakeWatch = new LakeWatch({ lake, datasets, folder: config.lake.s3 === null ? config.lake.folder : null, everyMs: lakeLookMs });
  const telemetry = await startTelemetry(
    workerTelemetry(config, {
      lanes: () => gate.status().lanes,
      bytesInFlight: () => source.bytesInFlight(),
      sinks: () => outboxes.standings(),
      incidents: () => outboxes.openIncidents(),
      lake: () => lakeWatch.standing,
    }),
  );
  listeners.push(telemetry.observe);
  const log = openLog(options, telemetry);
  if (log !== null) listeners.push(logEvents(log));
  listeners.push(outboxes.observe);

  let phase: WorkerStatus["phase"] = "starting";
  const status = (): WorkerStatus => ({ ...gate.status(), phase });
  const served = { status, incidents: lake.incidents, probe, observe: telemetry.observeCatalog, log };
  const servers = await startServers(config, served).catch(async (fault: unknown) => {
    // A process that still listens somewhere would not end.
    await telemetry.shutdown();
    await engine.close();
    await lake.close();
    throw fault;
  });

  const run = async (): Promise<void> => {
    // Object stores show nothing of what was left half written.
    const sweep = config.lake.s3 === null ? beginSweep(config.lake.folder, log) : null;
    const bug = Promise.withResolvers<never>();
    let watch: { stop(): Promise<void> } | null = null;
    let maintenance: { stop(): Promise<void> } | null = null;
    try {
      await gate.activate();
      // Before any window claims keys: a rollback that was cut off has some to give back.
      for (const dataset of datasets) await lake.refs.releasePending(dataset);
      outboxes.start();
      if (config.telemetry.prometheusPort !== undefined || config.telemetry.otlpEndpoint !== undefined) lakeWatch.start();
      maintenance = startMaintenance({ config, datasets, holder }, observe);
      phase = "running";
      watch = watchContracts(config.datasets, contracts, adapting(gate, adapt), bug.reject);
      await Promise.race([gate.run(), bug.promise]);
      await outboxes.drain(drainMs);
    } finally {
      await watch?.stop();
      await maintenance?.stop();
      await lakeWatch.stop();
      await servers.close();
      await outboxes.stop();
      await telemetry.shutdown();
      await sweep?.end();
      await engine.close();
      await registry?.close();
      await lake.close();
    }
  };
  return {
    gate,
    lake,
    source,
    healthUrl: servers.healthUrl,
    done: run(),
    stop: () => {
      phase = "stopping";
      return gate.stop();
    },
  };
}

function openLog({ config, log }: WorkerOptions, { logger: otel }: Telemetry): Logger | null {
  return log === null ? null : createLog({ ...log, level: config.log.level, worker: config.worker, version, otel });
}

/** Removes what killed processes left half written: a walk through the whole lake, which nothing waits for. */
function beginSweep(folder: string, log: Logger | null): { end(): Promise<void> } {
  const stop = new AbortController();
  const swept = sweepUnfinished(folder, { nowMs: Date.now(), ageMsMin: unfinishedAgeMsMin, signal: stop.signal }).catch(
    (error: unknown) => {
      log?.warn({ error: String(error) }, "half-written files stay");
    },
  );
  return {
    end: async () => {
      stop.abort();
      await swept;
    },
  };
}

/** The client that is asked for is the only one that is loaded. */
async function createSource(config: Config, contracts: readonly Contract[], lake: Lake): Promise<Source> {
  const { source } = config;
  const topics = contracts.map((one) => one.topic);
  if (source.kind === "files") {
    const { createFileSource } = await import("../adapters/files/file-source.ts");
    const [only, ...others] = contracts;
    if (only === undefined || others.length > 0)
      throw new SluiceError("CONFIG_INVALID", "a file source feeds one dataset: name one contract");
    const positions = (): Promise<readonly Position[]> => lake.state(only.dataset).then((state) => state.positions);
    const { paths, bytesInFlightMax, format } = source;
    const { record } = only;
    const csv = record?.value.format === "csv" ? record.value : undefined;
    return createFileSource({
      topic: only.topic,
      paths,
      bytesInFlightMax,
      positions,
      ...(format !== undefined && { format }),
      ...(csv !== undefined && { csv }),
    });
  }
  const { group: groupId, isolation, bytesInFlightMax, recordBytesMax, sessionTimeoutMs, instanceId } = source;
  const options = {
    connection: connectionOf(source, config.worker),
    groupId,
    topics,
    isolation,
    bytesInFlightMax,
    recordBytesMax,
    sessionTimeoutMs,
    // The gate gives a run back when its window is over, and looks at it no more.
    reuseMemory: true,
    ...(instanceId !== undefined && { groupInstanceId: instanceId }),
  };
  if (source.client === "kafkajs") {
    const { createKafkajsSource } = await import("../adapters/kafka/kafkajs-source.ts");
    return createKafkajsSource(options);
  }
  const { createKafkaSource } = await import("../adapters/kafka/kafka-source.ts");
  return createKafkaSource(options);
}
