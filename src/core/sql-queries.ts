/** A query over the rows of one window; its answer is one number. */
export interface SqlQuery {
  /** The rule's id. */
  readonly rule: string;
  /** One SELECT, the window's table under the names that were put into it. */
  readonly sql: string;
}

/** What a query answered: its number, or why there is none (an error of the text, a timeout, no value). */
export type SqlAnswer = { readonly value: number } | { readonly fault: string };

/** Runs queries of contracts over the rows of a window, cut off from everything else. */
export interface SqlEngine {
  /** `parquet`: the window's rows that passed, as files, each in pieces; `table`: the name that queries know them by. Answers in the order of the queries; never rejects for a query's own fault. */
  run(queries: readonly SqlQuery[], table: string, parquet: readonly (readonly Uint8Array[])[]): Promise<readonly SqlAnswer[]>;
}
