import { dateText, timeText, timestampText } from "../core/civil.ts";
import type { FieldType } from "../core/schema.ts";

/** A number of seconds (as moments and quantiles of time columns have it) as the column's own kind of text. */
export function secondsText(type: FieldType, seconds: number): string {
  if (type.kind === "date") return dateText(Math.floor(seconds / 86_400));
  if (type.kind === "time") return timeText(Math.round(seconds * 1e6));
  return timestampText(BigInt(Math.round(seconds)) * 1_000_000n, type.kind === "timestamp" && type.zoned);
}
