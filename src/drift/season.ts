import type { SeasonalBaseline } from "../core/contract.ts";

/** Making a format takes longer than all else here; a process knows few zones. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      weekday: "long",
      hour: "2-digit",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
    formats.set(timezone, format);
  }
  return format;
}

/** A season, and which of its days this is. */
export interface Season {
  /** In words: `Monday`, `14:00`, `Monday 14:00` or, on the contract's dates, `holiday`. */
  readonly name: string;
  /** The date there, YYYY-MM-DD: each season comes once a day at most. */
  readonly date: string;
}

/** The season of a time (milliseconds since the epoch). */
export function seasonOf(plan: SeasonalBaseline, atMs: number): Season {
  const parts = new Map(
    formatOf(plan.timezone)
      .formatToParts(atMs)
      .map((part) => [part.type, part.value]),
  );
  const date = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  const day = plan.holidays.includes(date) ? ["holiday"] : plan.by.includes("weekday") ? [parts.get("weekday")] : [];
  const hour = plan.by.includes("hour") ? [`${parts.get("hour")}:00`] : [];
  return { name: [...day, ...hour].join(" "), date };
}
