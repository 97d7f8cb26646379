import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { incidentSchema } from "../../src/adapters/catalog/incident-schema.ts";
import { createIncidentStore } from "../../src/adapters/catalog/incident-tables.ts";
import { SqliteDatabase } from "../../src/adapters/catalog/sqlite-database.ts";
import { SluiceError } from "../../src/core/errors.ts";
import type { Incident } from "../../src/core/incident.ts";
import { incidentPlanDefault } from "../../src/core/incident.ts";
import { startHealthServer } from "../../src/http/health.ts";
import type { IncidentQueries } from "../../src/http/incidents.ts";
import { emptyIncidentState, foldWindow, tellDownstream, tellSteps } from "../../src/incidents/index.ts";
import { breaking, drifting, makeWindow } from "../incidents/make-window.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function serve(find: IncidentQueries["find"]): Promise<(path: string) => Promise<{ status: number; body: Record<string, unknown> }>> {
  const describe = (incident: Incident): ReturnType<IncidentQueries["describe"]> => ({
    downstream: tellDownstream(incident),
    steps: tellSteps(incident),
  });
  const status = () => ({ lanes: [], trouble: null, phase: "running" as const });
  const server = await startHealthServer({ host: "127.0.0.1", port: 0, status, incidents: { find, describe } });
  ends.push(() => server.close());
  return async (path) => {
    const response = await fetch(server.url + path);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

it("answers incidents by dataset and status, and one with what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-incidents-"));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  const database = await SqliteDatabase.open({ file: join(folder, "c.db"), random: Math.random, busyMsMax: 5000 }, incidentSchema);
  ends.push(() => database.close());
  const store = createIncidentStore(database, "sluice.db");
  const plan = { ...incidentPlanDefault, togetherSeconds: 0 };
  const first = foldWindow(emptyIncidentState("flights"), makeWindow(1, drifting(["carrier"], "warn")), plan);
  const second = foldWindow(first.state, makeWindow(1000, breaking("rows_min")), plan);
  const incidents = second.state.live;
  await store.keep("flights", 0, { state: "{}", notes: [], notices: [], incidents });
  const get = await serve((dataset, filter) => store.incidents(dataset, filter));
  const [drifted, broken] = incidents as readonly [Incident, Incident];
  expect(await get("/api/v1/incidents")).toEqual({ status: 200, body: { incidents: [broken, drifted] } });
  expect((await get("/api/v1/incidents?dataset=flights&status=open&limit=1")).body).toEqual({ incidents: [broken] });
  expect((await get("/api/v1/incidents?dataset=orders")).body).toEqual({ incidents: [] });
  expect((await get("/api/v1/incidents?status=closed")).status).toBe(400);
  expect((await get("/api/v1/incidents?limit=0")).status).toBe(400);
  expect(await get(`/api/v1/incidents/${broken.id}`)).toEqual({
    status: 200,
    body: { incident: broken, downstream: tellDownstream(broken), steps: tellSteps(broken) },
  });
  expect(await get("/api/v1/incidents/inc-none")).toMatchObject({ status: 404, body: { error: { code: "NOT_FOUND" } } });
});

it("says what is wrong with the catalog, by its code", async () => {
  const get = await serve(() => Promise.reject(new SluiceError("CATALOG_BUSY", "the catalog is busy")));
  expect(await get("/api/v1/incidents")).toEqual({
    status: 503,
    body: { error: { code: "CATALOG_BUSY", message: "the catalog is busy" } },
  });
});
