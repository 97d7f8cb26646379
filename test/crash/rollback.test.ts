import { afterEach, describe, expect, it } from "vitest";
import { sluice } from "../cli/sluice.ts";
import { kafkaHere, sharedBroker } from "../live/harness/shared-broker.ts";
import { exited, Rig } from "./rig.ts";

interface Plan {
  readonly rows: number;
  readonly windows: readonly { readonly windowId: string }[];
}

describe.skipIf(!kafkaHere.available)("a rollback under a running gate", () => {
  let rig: Rig | null = null;
  afterEach(() => rig?.close());

  it(
    "neither stops it nor makes it read anything again, and dead letters of what was withdrawn still go out",
    { timeout: 240_000 },
    async () => {
      const at = (rig = await Rig.open((await sharedBroker()).bootstrap, { partitions: 2 }));
      const command = async (...args: readonly string[]): Promise<string> => {
        const { code, out, err } = await sluice([...args, "--config", at.configFile]);
        expect(code, err).toBe(0);
        return out;
      };
      await at.produce(300);
      const first = at.worker();
      await at.caughtUp();
      await command("tag", "create", "good", "-m", "before the bad ones");
      expect(await at.terminate(first), at.lastLog()).toBe(0);

      // Killed after the commit and before any dead letter of it; then the commit is taken back.
      await at.produce(300);
      expect(await exited(at.worker({ SLUICE_CRASH_AT: "dlq.before-produce:1" })), at.lastLog()).toBe("SIGKILL");
      const plan = JSON.parse(await command("rollback", "--to", "good", "-m", "bad ones", "--json")) as Plan;
      expect([plan.rows > 0, plan.windows.length > 0]).toEqual([true, true]);

      // The gate goes on from its positions, and is running when main is moved again.
      const second = at.worker();
      await at.caughtUp();
      await command("rollback", "--to", "main~1", "-m", "and this one");
      await at.produce(300);
      await at.caughtUp();
      await command("rollforward", "-m", "not this one");
      await at.produce(100);
      await at.caughtUp();
      expect(await at.terminate(second), at.lastLog()).toBe(0);
      const report = await at.check(true);
      expect(report.problems).toEqual([]);
      expect([report.records, report.withdrawn]).toEqual([1000, plan.rows]);
      await command("rollforward", "-m", "they were good");
      const whole = await at.check(true);
      expect(whole).toEqual({ ...report, promoted: report.promoted + plan.rows, withdrawn: 0 });
    },
  );
});
