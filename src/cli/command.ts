import type { ExitCode } from "./exit-code.ts";
import { spanMs } from "../core/time-span.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command, as help, reference page and parser see it. */
export interface OptionSpec {
  /** As commander writes them: `--limit <rows>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** Given again and again, it makes a list. */
  readonly repeats?: boolean;
}

export interface ArgumentSpec {
  /** `<file>` needed, `[file]` not, `<files...>` several. */
  readonly name: string;
  readonly description: string;
}

/** One command: what help says of it, and what it does. Its file imports nothing heavy before `run`, so that help is quick. */
export interface CommandSpec {
  /** With its group: `quarantine list`. */
  readonly name: string;
  readonly summary: string;
  /** More, for help and the reference page. */
  readonly details?: string;
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** What `--json` prints, as TypeScript would write its type. */
  readonly json: string;
  /** When it ends with 3, if it can. */
  readonly findings?: string;
  run(invocation: Invocation): Promise<ExitCode>;
}

/** What was typed, with the terminal to answer on. */
export class Invocation {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #arguments: readonly unknown[];

  constructor(options: {
    readonly terminal: Terminal;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly options: Readonly<Record<string, unknown>>;
    readonly arguments: readonly unknown[];
  }) {
    this.terminal = options.terminal;
    this.environment = options.environment;
    this.#options = options.options;
    this.#arguments = options.arguments;
  }

  get json(): boolean {
    return this.flag("json");
  }

  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  /** An option's text, or null where it was not given and has no default. */
  text(name: string): string | null {
    const value = this.#options[name];
    return typeof value === "string" ? value : null;
  }

  /** Every text of an option that repeats. */
  texts(name: string): readonly string[] {
    const value = this.#options[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** A whole number from `min`; rejects anything else as a wrong command line. */
  count(name: string, min = 0): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (!/^\d{1,15}$/.test(text) || Number(text) < min)
      throw new UsageError(`--${kebab(name)} takes a whole number from ${min}, not "${text}"`);
    return Number(text);
  }

  /** A span such as `90s`, `15m`, `2h`, `7d`, in milliseconds. */
  span(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = spanMs(text);
    if (ms === null || ms === 0) throw new UsageError(`--${kebab(name)} takes a span such as 12h or 90d, not "${text}"`);
    return ms;
  }

  /** A moment: ISO 8601, or a span such as `90s`, `15m`, `2h`, `7d` before `nowMs`. In milliseconds since the epoch. */
  moment(name: string, nowMs: number): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const span = spanMs(text);
    if (span !== null) return nowMs - span;
    const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms))
      throw new UsageError(`--${kebab(name)} takes a time such as 2026-01-31T12:00:00Z or a span such as 15m, not "${text}"`);
    return ms;
  }

  /** An argument that the command needs. */
  argument(index: number): string {
    const value = this.#arguments[index];
    if (typeof value !== "string") throw new UsageError("an argument is missing");
    return value;
  }

  /** The texts of a variadic argument, or of one that may be left out. */
  rest(index: number): readonly string[] {
    const value = this.#arguments[index];
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "string");
  }
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, "-$&").toLowerCase();
}

export const jsonOption: OptionSpec = { flags: "--json", description: "Print one JSON document instead of text" };

export const configOption: OptionSpec = {
  flags: "-c, --config <file>",
  description: "Configuration file (default: SLUICE_CONFIG, else sluice.yaml)",
};

export const datasetOption: OptionSpec = {
  flags: "-d, --dataset <name>",
  description: "Which dataset (default: the only one)",
};

export const keepOption: OptionSpec = {
  flags: "--keep <span>",
  description: "How long from now it is kept for sure, such as 90d; expiry may take it then (default: until it is dropped)",
};

/** For what can't be undone, or that others will ask about. */
export const neededReasonOption: OptionSpec = { flags: "-m, --reason <text>", description: "Why, for the record; needed" };

export const reasonOption: OptionSpec = { flags: "-m, --reason <text>", description: "Why, for the record", default: "no reason given" };
