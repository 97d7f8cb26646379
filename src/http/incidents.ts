import type { FastifyInstance } from "fastify";
import { errorTable, SluiceError } from "../core/errors.ts";
import type { Incident, IncidentStatus } from "../core/incident.ts";
import { incidentStatuses } from "../core/incident.ts";
import type { IncidentFilter } from "../core/incident-store.ts";

/** Where incidents are looked up. */
export interface IncidentQueries {
  /** Newest first; `dataset` null: of all. */
  readonly find: (dataset: string | null, filter: IncidentFilter) => Promise<readonly Incident[]>;
  /** What goes with one, in words. */
  readonly describe: (incident: Incident) => {
    readonly downstream: string;
    readonly steps: readonly { readonly command: string; readonly says: string }[];
  };
}

const limitDefault = 100;
const limitMax = 1000;

interface ListQuery {
  readonly dataset?: string;
  readonly status?: IncidentStatus;
  readonly limit?: number;
}

const listQuery = {
  type: "object",
  additionalProperties: false,
  properties: {
    dataset: { type: "string", minLength: 1 },
    status: { enum: incidentStatuses },
    limit: { type: "integer", minimum: 1, maximum: limitMax },
  },
};

/**
 * Adds `GET /api/v1/incidents` (`dataset`, `status`, `limit`), which answers `{ incidents }`, and `GET /api/v1/incidents/ID`, which answers
 * `{ incident, downstream, steps }`. Incidents are as `schemas/incident-notice.schema.json` describes them.
 */
export function serveIncidents(server: FastifyInstance, { find, describe }: IncidentQueries): void {
  server.setErrorHandler(async (fault, _request, reply) => {
    if (!(fault instanceof SluiceError)) return reply.send(fault);
    const { code, message } = fault;
    return reply.code(errorTable[code].httpStatus).send(JSON.stringify({ error: { code, message } }));
  });
  server.get<{ Querystring: ListQuery }>("/api/v1/incidents", { schema: { querystring: listQuery } }, (request) => {
    const { dataset = null, status, limit = limitDefault } = request.query;
    const found = find(dataset, { limit, ...(status !== undefined && { status }) });
    return found.then((incidents) => JSON.stringify({ incidents }));
  });
  server.get<{ Params: { readonly id: string } }>("/api/v1/incidents/:id", async (request, reply) => {
    const [incident] = await find(null, { ids: [request.params.id], limit: 1 });
    if (incident === undefined) return reply.code(404).send(JSON.stringify({ error: { code: "NOT_FOUND", message: "no such incident" } }));
    return JSON.stringify({ incident, ...describe(incident) });
  });
}
