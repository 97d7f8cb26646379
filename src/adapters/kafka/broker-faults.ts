import { SluiceError } from "../../core/errors.ts";

/** Kafka's names of every protocol error inside an error of @platformatic/kafka, such as `NOT_COORDINATOR`. */
export function protocolErrors(error: unknown): string[] {
  const found = new Set<string>();
  walk(error, (inner) => {
    if (typeof inner["apiId"] === "string") found.add(inner["apiId"]);
  });
  return [...found];
}

/** The whole story of an error in one line: protocol errors by name, else the innermost messages. */
export function describeFault(error: unknown): string {
  const messages = new Set<string>();
  walk(error, (inner) => {
    const nested = inner["errors"] !== undefined || inner["cause"] !== undefined;
    if (typeof inner["apiId"] === "string") messages.add(inner["apiId"]);
    else if (!nested && typeof inner["message"] === "string" && inner["message"] !== "") messages.add(inner["message"]);
  });
  return messages.size > 0 ? [...messages].join("; ") : String((error as Error | undefined)?.message ?? error);
}

/** Any fault on the way to a broker, as SOURCE_UNREACHABLE; a SluiceError stays what it is. */
export function unreachable(doing: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError("SOURCE_UNREACHABLE", `${doing}: ${describeFault(error)}`, { cause: error });
}

/** The response that came with the errors, where there is one: other topics in it may be well. */
export function responseOf(error: unknown): unknown {
  let found: unknown = null;
  walk(error, (inner) => {
    if (found === null && inner["response"] !== undefined && inner["response"] !== null) found = inner["response"];
  });
  return found;
}

function walk(error: unknown, visit: (error: Record<string, unknown>) => void, depth = 0): void {
  if (typeof error !== "object" || error === null || depth > 8) return;
  const inner = error as Record<string, unknown>;
  visit(inner);
  if (Array.isArray(inner["errors"])) for (const each of inner["errors"]) walk(each, visit, depth + 1);
  walk(inner["cause"], visit, depth + 1);
}
