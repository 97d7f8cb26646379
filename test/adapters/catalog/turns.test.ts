import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import type { Turn } from "../../../src/adapters/catalog/turns.ts";
import { inTurn } from "../../../src/adapters/catalog/turns.ts";
import { postgresHere, testPostgres } from "../../live/harness/test-postgres.ts";
import { scratchFolder } from "../lake/lake-fixture.ts";
import type { OpenedTurns } from "./open-turns.ts";
import { endless, openTurns } from "./open-turns.ts";
import { postgresProxy } from "./postgres-proxy.ts";

const server = postgresHere ? await testPostgres() : null;
afterAll(() => server?.close());

const holder = new URL("turn-holder.ts", import.meta.url).pathname;

/** How many stand in the queue, the one in front included. */
type Standing = () => Promise<number>;

interface Place {
  readonly folder: string;
  readonly url?: string;
}

const kinds: readonly {
  readonly kind: string;
  readonly here: boolean;
  readonly place: (folder: string) => Promise<Place>;
  readonly standing: (place: Place) => Standing;
}[] = [
  {
    kind: "SQLite",
    here: true,
    place: async (folder) => ({ folder }),
    standing:
      ({ folder }) =>
      async () => {
        const database = new DatabaseSync(join(folder, "turns.db"), { timeout: 10_000 });
        try {
          return Number(database.prepare("SELECT count(*) AS n FROM sluice_turns").get()?.["n"]);
        } finally {
          database.close();
        }
      },
  },
  {
    kind: "PostgreSQL",
    here: server !== null,
    place: async (folder) => ({ folder, url: await server!.database() }),
    standing:
      ({ url }) =>
      async () =>
        Number(
          (
            await server!.run(
              url!,
              "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
          )[0]?.["n"],
        ),
  },
];

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5);
}

describe.each(kinds)("turns by $kind", ({ here, place, standing }) => {
  /** Opens turns for several processes' worth of connections; all are closed at the end. */
  async function together(count: number, work: (each: readonly OpenedTurns[], stand: Standing, at: Place) => Promise<void>): Promise<void> {
    using scratch = scratchFolder();
    const at = await place(scratch.folder);
    const opened: OpenedTurns[] = [];
    try {
      for (let i = 0; i < count; i++) opened.push(await openTurns(at));
      await work(opened, standing(at), at);
    } finally {
      for (const { close } of opened) await close();
    }
  }

  it.skipIf(!here)("come in the order of asking, one at a time", () =>
    together(6, async (all, stand) => {
      const first = await all[0]!.turns.take("orders");
      const order: number[] = [];
      let inside = 0;
      const waiting: Promise<void>[] = [];
      for (const [i, { turns }] of all.entries()) {
        if (i === 0) continue;
        waiting.push(
          inTurn(turns, ["orders"], async () => {
            expect(++inside).toBe(1);
            order.push(i);
            await sleep(1);
            inside--;
          }),
        );
        await until(async () => (await stand()) === i + 1);
      }
      expect([first.isMine, order]).toEqual([true, []]);
      await first.release();
      await Promise.all(waiting);
      expect(order).toEqual([1, 2, 3, 4, 5]);
      await until(async () => (await stand()) === 0);
    }),
  );

  it.skipIf(!here)("of different datasets do not wait for each other, and of several are taken without a circle", () =>
    together(2, async ([one, two]) => {
      const orders = await one!.turns.take("orders");
      const visits = await two!.turns.take("visits");
      expect([orders.isMine, visits.isMine]).toEqual([true, true]);
      await Promise.all([orders.release(), visits.release()]);
      let done = 0;
      await Promise.all(
        Array.from({ length: 4 }, (_, i) =>
          inTurn((i % 2 === 0 ? one : two)!.turns, i % 2 === 0 ? ["visits", "orders"] : ["orders", "visits", "orders"], async () => done++),
        ),
      );
      expect(done).toBe(4);
    }),
  );

  it.skipIf(!here)("of many datasets are had together, by several who ask at once", () =>
    together(1, async ([one], stand) => {
      const datasets = ["a", "b", "c", "d", "e", "f", "g"];
      const seen: number[] = [];
      const work = async (): Promise<number> => seen.push(await stand());
      const asked = [inTurn(one!.turns, datasets, work), inTurn(one!.turns, datasets.toReversed(), work)];
      await Promise.all(asked);
      for (const each of seen) expect(each).toBeGreaterThanOrEqual(datasets.length);
      expect(seen.length).toBe(2);
      await until(async () => (await stand()) === 0);
    }),
  );

  it.skipIf(!here)("are given back by work that fails", () =>
    together(2, async ([one, two], stand) => {
      const failing = inTurn(one!.turns, ["orders"], async () => {
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      const after = await two!.turns.take("orders");
      expect(after.isMine).toBe(true);
      await after.release();
      await until(async () => (await stand()) === 0);
    }),
  );

  it.skipIf(!here)("of a process that was killed pass to the next one, though it hears of no limit", () =>
    together(2, async ([one, two], stand, { folder, url }) => {
      const child = spawn(process.execPath, [holder, folder, ...(url === undefined ? [] : [url])], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      expect(String((await once(child.stdout, "data"))[0])).toBe("true\n");
      const waiting = [one!.turns.take("orders"), two!.turns.take("orders")];
      await until(async () => (await stand()) === 3);
      child.kill("SIGKILL");
      await once(child, "exit");
      const turn = await Promise.race(waiting);
      expect([turn.isMine, await stand()]).toEqual([true, 2]);
      await turn.release();
      const turns = await Promise.all(waiting);
      expect(turns.map(({ isMine }) => isMine)).toEqual([true, true]);
      // Giving it back twice is nothing.
      for (const { release } of turns) await release();
      expect(await stand()).toBe(0);
    }),
  );

  it.skipIf(!here)("of one that hangs are taken from it, and who waits for too long goes without", () =>
    together(1, async ([patient], stand, at) => {
      const hanging = await openTurns(at, { ...endless, heldMsMax: 50, silentMsMax: 50 });
      const hasty = await openTurns(at, { ...endless, waitMsMax: 50 });
      const sharp = await openTurns(at, { ...endless, silentMsMax: 50 });
      try {
        const held = await patient!.turns.take("orders");
        const none = await hasty.turns.take("orders");
        expect([held.isMine, none.isMine, await stand()]).toEqual([true, false, 1]);
        await held.release();
        const hung = await hanging.turns.take("orders");
        const next: Turn = await sharp.turns.take("orders");
        expect([hung.isMine, next.isMine]).toEqual([true, true]);
        await hung.release();
        await next.release();
      } finally {
        for (const { close } of [hanging, hasty, sharp]) await close();
      }
    }),
  );
});

it("a file that can't be had is as good as no turns", async () => {
  using scratch = scratchFolder();
  mkdirSync(join(scratch.folder, "turns.db"));
  const { turns, close } = await openTurns(scratch);
  expect(await inTurn(turns, ["orders"], async () => "done")).toBe("done");
  expect((await turns.take("orders")).isMine).toBe(false);
  await close();
});

it.skipIf(server === null)(
  "a server that falls silent is not waited for: everyone goes without, and neither its connection nor its lock stays",
  async () => {
    using scratch = scratchFolder();
    const address = new URL(await server!.database());
    const direct = address.href;
    const proxy = await postgresProxy(Number(address.port));
    address.port = String(proxy.port);
    const short = await openTurns({ folder: scratch.folder, url: address.href }, { ...endless, waitMsMax: 1000 });
    const locks =
      "SELECT count(*)::int AS n FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND d.datname = current_database()";
    const locked = async (): Promise<unknown> => (await server!.run(direct, locks))[0]?.["n"];
    try {
      await (await short.turns.take("orders")).release();
      proxy.silence();
      const none = await short.turns.take("orders", "visits");
      expect(none.isMine).toBe(false);
      // The server gave the lock to a connection that nobody hears: it goes with that connection.
      await until(async () => (await locked()) === 0);
      proxy.heal();
      await until(async () => {
        const turn = await short.turns.take("orders", "visits");
        await turn.release();
        return turn.isMine;
      });
      expect(await locked()).toBe(0);
    } finally {
      await short.close();
      await proxy.close();
    }
  },
);

it.skipIf(server === null)("a server that can't be had is as good as no turns", async () => {
  using scratch = scratchFolder();
  const url = await server!.database();
  const { turns, close } = await openTurns({ folder: scratch.folder, url });
  await server!.crash();
  expect((await turns.take("orders")).isMine).toBe(false);
  await server!.start();
  await until(async () => {
    const turn = await turns.take("orders");
    await turn.release();
    return turn.isMine;
  });
  await close();
});
