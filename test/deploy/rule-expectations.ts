import type { Recording } from "../alerts/recording.ts";

/** That an alert fires for just these label sets (none: for nothing) at a second of the recorded run. */
export interface Expectation {
  readonly alert: string;
  readonly atSeconds: number;
  readonly labels: readonly Readonly<Record<string, string>>[];
  /** Looked for among these alone: the disk of the other worker is the machine's. */
  readonly among?: Readonly<Record<string, string>>;
}

const a = "sluice-a:9464";
const b = "sluice-b:9464";

/** What each alert must and must not do, by the times at which faults began and ended. */
export function expectations({ marks }: Recording): readonly Expectation[] {
  const after = (mark: string, seconds: number): number => {
    const at = marks[mark];
    if (at === undefined) throw new Error(`the recording has no mark "${mark}"`);
    return at + seconds;
  };
  const quiet = (alert: string, ...seconds: readonly number[]): readonly Expectation[] =>
    seconds.map((atSeconds) => ({ alert, atSeconds, labels: [] }));
  const fires = (alert: string, atSeconds: number, ...labels: readonly Readonly<Record<string, string>>[]): Expectation => ({
    alert,
    atSeconds,
    labels,
  });
  const orders = { dataset: "orders" };
  const fed = [orders, { dataset: "refunds" }, { dataset: "returns" }];
  return [
    ...quiet("SluiceDown", after("worker is killed", -15), after("worker is killed", 105), after("worker is back", 60)),
    fires("SluiceDown", after("worker is killed", 165), { instance: a }),

    ...quiet("SluiceBlocked", after("topic is made again", -15), after("source is accepted", 120)),
    fires("SluiceBlocked", after("source is accepted", -15), { dataset: "returns", topic: "returns", partition: "all" }),

    { alert: "SluiceBehind", atSeconds: after("catalog is locked", 285), labels: [], among: orders },
    { alert: "SluiceBehind", atSeconds: after("catalog is free", 60), labels: [], among: orders },
    // The second worker, whose every record is a commit of its own, really was too slow by then.
    fires("SluiceBehind", after("catalog is free", 0), ...fed, { dataset: "clicks" }),
    ...quiet("SluiceLagGrowing", after("bad records", 0)),
    fires("SluiceLagGrowing", after("catalog is free", -15), orders, { dataset: "clicks" }),

    ...quiet("SluiceStale", 240, after("refunds are new", 60)),
    fires("SluiceStale", after("refunds are new", -15), { dataset: "refunds" }),

    ...quiet("SluiceCommitsFailing", after("catalog is locked", 0), after("worker is back", 60)),
    fires("SluiceCommitsFailing", after("catalog is locked", 240), ...fed.map((each) => ({ ...each, code: "CATALOG_BUSY" }))),

    ...quiet("SluiceContractRefused", after("contract is broken", 0), after("contract is mended", 60)),
    fires("SluiceContractRefused", after("contract is mended", -15), orders),

    ...quiet("SluiceQuarantineRate", after("bad records", 60)),
    fires("SluiceQuarantineRate", after("good records", 60), orders),

    ...quiet("SluiceWindowHeld", after("null customers", 30)),
    fires("SluiceWindowHeld", after("held windows are dropped", -15), orders),

    ...quiet("SluiceDrift", after("amounts shift", -15)),
    fires("SluiceDrift", after("amounts are back", 0), { ...orders, column: "amount" }),

    ...quiet("SluiceIncident", after("bad records", 0)),
    fires("SluiceIncident", after("amounts are back", 0), orders),

    ...quiet("SluiceSinkBehind", after("sink is down", 300), after("sink is back", 75)),
    fires("SluiceSinkBehind", after("sink is back", -15), ...fed.map((each) => ({ ...each, sink: "lineage-http" }))),

    // A contract that can't be read fails retention too, and a locked catalog the beginning of every pass.
    ...quiet("SluiceMaintenanceFailing", after("contract is broken", 0)),
    fires(
      "SluiceMaintenanceFailing",
      after("catalog is free", 0),
      ...[{ dataset: "all" }, ...fed].map((each) => ({ ...each, step: "begin" })),
      ...fed.map((each) => ({ ...each, step: "retain" })),
    ),

    ...quiet("SluiceDiskLow", after("disk is full", 0), after("disk has space", 60)),
    fires("SluiceDiskLow", after("disk has space", 0), { instance: a }),
    { alert: "SluiceDiskFilling", atSeconds: 300, labels: [], among: { instance: a } },
    { alert: "SluiceDiskFilling", atSeconds: after("worker is killed", -15), labels: [{ instance: a }], among: { instance: a } },

    ...quiet("SluiceHeadroom", 300),
    fires("SluiceHeadroom", after("worker is killed", 0), { instance: b, part: "commit" }, { instance: b, part: "main" }),
  ];
}
