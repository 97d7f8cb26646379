import { errorTable } from "../../src/core/errors.ts";

/** `docs/reference/errors.md` from the table of errors. */
export function generateErrorsPage(): string {
  const rows = Object.entries(errorTable)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([code, { action, httpStatus, retryable }]) =>
        `| \`${code}\` | ${action.replaceAll("|", "\\|")} | ${retryable ? "by itself" : ""} | ${httpStatus} |`,
    );
  const lines = [
    "# Errors",
    "",
    "<!-- Generated from src/core/errors.ts by `npm run generate`. -->",
    "",
    "Every operating fault has one of these codes: at the end of a line on the terminal, in `error.code` of `--json`, in logs. Codes are stable.",
    "",
    "| code | what to do | tried again | HTTP |",
    "| --- | --- | --- | --- |",
    ...rows,
  ];
  return `${lines.join("\n")}\n`;
}
