import { fastify } from "fastify";
import { expect, it } from "vitest";
import { serveLineage } from "../../src/http/lineage-routes.ts";
import { collect, makeWindow, row, scratchFolder, startedLake } from "../adapters/lake/lake-fixture.ts";

it("an event of OpenLineage is recorded over HTTP, and what is none is refused in words", async () => {
  using scratch = scratchFolder();
  const lake = await startedLake(scratch.folder);
  await lake.commitWindow(makeWindow({ id: "w1", from: 0n, values: [row(1)] }));
  const { snapshotId } = (await lake.snapshots("orders")).at(-1)!;
  const server = fastify();
  serveLineage(server, { lake, names: { tableNamespace: "db" }, clock: { now: () => 7 } });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  const post = async (body: unknown): Promise<[number, unknown]> => {
    const answer = await fetch(`${url}/api/v1/lineage`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return [answer.status, await answer.json()];
  };
  const event = {
    eventType: "START",
    eventTime: "2100-01-01T00:00:00Z",
    job: { namespace: "ml", name: "train" },
    run: { runId: "r1" },
    inputs: [{ namespace: "file", name: "/w/db/orders", facets: { version: { datasetVersion: snapshotId } } }],
    outputs: [],
  };
  expect(await post(event)).toEqual([201, { recorded: 1, ignored: 0 }]);
  expect((await collect(lake.consumption.of("orders"))).map((each) => [each.job, each.snapshotId])).toEqual([["train", snapshotId]]);
  expect(await post({ ...event, run: {} })).toEqual([
    400,
    { code: "EVENT_INVALID", message: "run.runId is missing, or no text", action: expect.any(String) },
  ]);
  await server.close();
  await lake.close();
});
