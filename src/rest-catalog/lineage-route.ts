import type { FastifyInstance } from "fastify";
import type { RestError } from "./rest-error.ts";
import { errorBody } from "./rest-error.ts";
import type { TokenGate } from "./token-gate.ts";

/** Where OpenLineage's clients send their events (Marquez' path). */
const lineagePath = "/api/v1/lineage";

/** Takes an event of OpenLineage; answers how many of its inputs were recorded. Rejects with EVENT_INVALID. */
export interface LineageIntake {
  /** The namespace whose tables it is about: who may read them may say that they did. */
  readonly namespace: string;
  record(event: unknown): Promise<{ readonly recorded: number; readonly ignored: number }>;
}

/** Serves `POST /api/v1/lineage` beside the catalog, for the same tokens: 201 and `{ recorded, ignored }`. */
export function serveLineage(
  server: FastifyInstance,
  options: { readonly gate: TokenGate; readonly intake: LineageIntake; readonly faultOf: (endpoint: string, fault: unknown) => RestError },
): void {
  const { gate, intake, faultOf } = options;
  server.post(lineagePath, async (request, reply) => {
    reply.header("content-type", "application/json");
    try {
      gate.principal(request.headers.authorization).need("read", intake.namespace);
      return await reply.code(201).send(JSON.stringify(await intake.record(request.body)));
    } catch (fault) {
      const error = faultOf(`POST ${lineagePath}`, fault);
      return reply.code(error.status).send(errorBody(error));
    }
  });
}
