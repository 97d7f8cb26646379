/** Runs work on tables one after another: commits of one server need not race each other, and write metadata in vain. */
export class CommitTurns {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** Runs `work` once everything that came before it on any of these tables has ended. */
  async pass<T>(tables: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = tables.map((table) => this.#tails.get(table) ?? Promise.resolve());
    const mine = Promise.all(before).then(work);
    const tail = mine.catch(() => undefined);
    // All tails are taken at once: two that share tables never wait for each other in a circle.
    for (const table of tables) this.#tails.set(table, tail);
    try {
      return await mine;
    } finally {
      for (const table of tables) if (this.#tails.get(table) === tail) this.#tails.delete(table);
    }
  }
}
