import type { FastifyInstance } from "fastify";
import { errorTable, SluiceError } from "../core/errors.ts";
import type { Clock, Lake } from "../core/ports.ts";
import type { LakeNames } from "../trace/lineage-readings.ts";
import { recordLineage } from "../trace/lineage-readings.ts";

/** Events carry facets of any kind: larger ones than this tell of more than what was read. */
const bodyBytesMax = 4 << 20;

/**
 * Serves `POST /api/v1/lineage`, where OpenLineage's clients send their events (Marquez' path): which versions a job's run reads is recorded. Answers 201
 * with `{ recorded, ignored }`, or an error as `{ code, message, action }`.
 */
export function serveLineage(
  server: FastifyInstance,
  options: { readonly lake: Lake; readonly names: LakeNames; readonly clock: Clock },
): void {
  const { lake, names, clock } = options;
  server.post("/api/v1/lineage", { bodyLimit: bodyBytesMax }, async (request, reply) => {
    try {
      await reply.code(201).send(await recordLineage(lake, names, request.body, clock.now()));
    } catch (fault) {
      if (!(fault instanceof SluiceError)) throw fault;
      const { action, httpStatus } = errorTable[fault.code];
      await reply.code(httpStatus).send({ code: fault.code, message: fault.message, action });
    }
  });
}
