import type { Contract } from "../../src/core/contract.ts";
import type { GateEvent } from "../../src/core/events.ts";
import type { Lake } from "../../src/core/ports.ts";
import { loadContract } from "../../src/contract/load-contract.ts";
import { openInlineEngine } from "../../src/cli/engine.ts";
import type { Engine } from "../../src/gate/engine.ts";
import { Gate, type GateOptions } from "../../src/gate/gate.ts";
import { openLake } from "../adapters/lake/lake-fixture.ts";
import { ScriptedSource } from "./scripted-source.ts";

/** The contract of `orders`: `n` is required and at most 100; `settings`, `quality` and `rules` (more properties) are put into it. */
export async function makeOrders(
  options: { version?: string; settings?: string; quality?: string; rules?: string; maximum?: number } = {},
): Promise<Contract> {
  const { version = "1.0.0", settings = "", quality = "", rules = "", maximum = 100 } = options;
  const text = `apiVersion: v3.1.0
kind: DataContract
id: orders
version: ${version}
status: active
schema:
  - name: orders
    physicalName: orders
    physicalType: topic
    logicalType: object
${quality}
    customProperties:
      - property: sluice
        value: { window: { rows: 1000, seconds: 600 } ${settings} }
    properties:
      - name: n
        logicalType: integer
        required: true
        logicalTypeOptions: { maximum: ${maximum} }
${rules}
      - name: at
        logicalType: timestamp
`;
  return (await loadContract("orders.odcs.yaml", () => Promise.resolve(text))).contract;
}

/** Two or more gates can stand on one folder: each has its own source and lake. */
export class GateBench {
  readonly gate: Gate;
  readonly lake: Lake;
  readonly #engine: Engine;
  readonly source: ScriptedSource;
  readonly events: GateEvent[] = [];
  readonly done: Promise<void>;
  nowMs = 1_800_000_000_000;

  private constructor(contract: Contract, lake: Lake, engine: Engine, outside: Pick<GateOptions, "sql">) {
    this.source = new ScriptedSource("orders");
    this.lake = lake;
    this.#engine = engine;
    this.gate = new Gate({
      ...outside,
      lake,
      source: this.source,
      contracts: [contract],
      clock: { now: () => this.nowMs++ },
      engine,
      engineKind: "compiled",
      observe: (event) => void this.events.push(event),
      probe: () => {},
      worker: "bench",
      producer: "test",
      windowBytesMax: 1 << 24,
      start: { at: "earliest" },
    });
    this.done = this.gate.activate().then(() => this.gate.run());
  }

  /** `wrap` stands between the gate and the lake. */
  static async open(
    folder: string,
    contract: Contract,
    wrap: (lake: Lake) => Lake = (lake) => lake,
    engine: Engine = openInlineEngine(),
    outside: Pick<GateOptions, "sql"> = {},
  ): Promise<GateBench> {
    const bench = new GateBench(contract, wrap(await openLake(folder)), engine, outside);
    await bench.until(() => bench.events.some((event) => event.type === "contract.activated"));
    // `run` starts the source in the same turn that `activate` ends.
    await new Promise((resolve) => setImmediate(resolve));
    return bench;
  }

  count(type: GateEvent["type"]): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async until(condition: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`timed out: not within ${withinMs} ms; events: ${this.events.map((each) => each.type).join(", ")}`);
      await Promise.race([this.done, new Promise((resolve) => setTimeout(resolve, 10))]);
    }
  }

  /** Everything that was handed over is judged. */
  async judged(): Promise<void> {
    await this.until(() => this.gate.status().lanes.every((lane) => lane.queuedBytes === 0));
  }

  async revoke(...partitions: readonly number[]): Promise<void> {
    await this.judged();
    await this.source.revoke(...partitions);
  }

  async stop(): Promise<void> {
    await this.judged();
    await this.gate.stop();
    await this.done;
    await this.#engine.close();
    await this.lake.close();
  }
}
