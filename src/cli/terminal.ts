import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command prints: results on `out`, everything else on `err`. */
export interface Terminal {
  /** One line, or several, of the result. */
  out(line: string): void;
  /** One line of anything that is not the result. */
  err(line: string): void;
  /** The result as one JSON document; bigints as strings. */
  json(value: unknown): void;
  /** One JSON document a line. */
  jsonLine(value: unknown): void;
  /** Colours for `out`; plain text where colours are off (`NO_COLOR`, no terminal). */
  style(style: Style, text: string): string;
  /** Colours for `err`. */
  styleErr(style: Style, text: string): string;
  /** Whether a person watches `err`, so that bars and live views make sense. */
  readonly isWatched: boolean;
  /** Whether a person watches `out`. */
  readonly isOutWatched: boolean;
  /** Width in columns of `err`'s terminal; 100 where there is none. */
  columns(): number;
  /** Raw text to `err`, for what is drawn over. */
  draw(text: string): void;
}

/** A stream that may be a terminal. */
type Outlet = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** The process's own terminal. A closed pipe (`sluice ... | head`) ends the process quietly. */
export function createTerminal(out: Outlet, err: Outlet): Terminal {
  const quit = (error: NodeJS.ErrnoException): void => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  };
  out.on("error", quit);
  err.on("error", quit);
  return {
    out: (line) => void out.write(`${line}\n`),
    err: (line) => void err.write(`${line}\n`),
    json: (value) => void out.write(`${JSON.stringify(value, plain, 2)}\n`),
    jsonLine: (value) => void out.write(`${JSON.stringify(value, plain)}\n`),
    style: (style, text) => styleText(style, text, { stream: out }),
    styleErr: (style, text) => styleText(style, text, { stream: err }),
    isWatched: err.isTTY === true && process.env["TERM"] !== "dumb",
    isOutWatched: out.isTTY === true,
    columns: () => (err.isTTY === true ? err.columns : 0) || 100,
    draw: (text) => void err.write(text),
  };
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
