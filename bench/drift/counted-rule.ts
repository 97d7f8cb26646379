import type { Counted } from "./counted-measures.ts";
import { countedOf } from "./counted-measures.ts";

/** What a rule says of a window: whether it alarms, by column or at all. */
export interface CountedRule {
  readonly name: string;
  /** Windows come one by one, a season each (empty: none); answers the columns that it flags. Empty: no alarm. */
  judge(window: readonly Counted[], season: string): readonly number[];
}

/** Windows that are a reference: of a rolling one the newest, of a pinned one the first. */
export const windowsOfReference = 20;

/** The newest windows of a stream, and their sums. */
export class Reference {
  readonly windows: (readonly Counted[])[] = [];
  readonly #depth: number;
  #sums: Counted[] = [];

  constructor(depth: number) {
    this.#depth = depth;
  }

  get sums(): readonly Counted[] {
    return this.#sums;
  }

  add(window: readonly Counted[]): void {
    this.windows.push(window);
    if (this.#sums.length === 0) this.#sums = window.map(({ column, fine }) => countedOf(column, new Float64Array(fine.length)));
    const gone = this.windows.length > this.#depth ? this.windows.shift() : undefined;
    this.#sums = this.#sums.map((sum, i) => plus(plus(sum, window[i] as Counted, 1), gone?.[i] ?? null, -1));
  }

  /** Every window but one of a column, summed. */
  without(column: number, window: readonly Counted[]): Counted {
    const sum = this.#sums[column] as Counted;
    return plus({ ...sum, fine: sum.fine.slice(), coarse: sum.coarse.slice() }, window[column] as Counted, -1);
  }
}

/** Adds to the counts of a sum in place: it is nobody else's. */
function plus(sum: Counted, each: Counted | null, sign: 1 | -1): Counted {
  if (each === null) return sum;
  for (let i = 0; i < sum.fine.length; i++) sum.fine[i] = (sum.fine[i] as number) + sign * (each.fine[i] as number);
  for (let i = 0; i < sum.coarse.length; i++) sum.coarse[i] = (sum.coarse[i] as number) + sign * (each.coarse[i] as number);
  return { ...sum, total: sum.total + sign * each.total };
}
