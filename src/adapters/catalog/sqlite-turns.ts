import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { SluiceError } from "../../core/errors.ts";
import { SqliteDatabase, type SqliteOptions } from "./sqlite-database.ts";
import { noTurn, turnLimits, type Turn, type TurnLimits, type Turns } from "./turns.ts";

/** The queue: whoever has the lowest ticket of a dataset goes. A process that runs and a beat that moves say that somebody is behind a ticket. */
const turnSchema = `
CREATE TABLE IF NOT EXISTS sluice_turns (
  ticket INTEGER PRIMARY KEY AUTOINCREMENT,
  lake VARCHAR(255) NOT NULL,
  dataset VARCHAR(255) NOT NULL,
  realm VARCHAR(255) NOT NULL,
  pid INTEGER NOT NULL,
  beat INTEGER NOT NULL
);`;

/** Limits, and when a ticket is one that nobody is behind any more, where its process can't be looked for. */
export interface SqliteTurnLimits extends TurnLimits {
  /** How often a living process moves its beat. */
  readonly beatMs: number;
  /** A ticket whose beat stood still for this long is taken out by those behind it. */
  readonly silentMsMax: number;
}

const limitsDefault: SqliteTurnLimits = { ...turnLimits, beatMs: 500, silentMsMax: 2000 };
/** The next one looks this often, those behind it the less often the further back they stand. */
const pauseMs = 2;
const pauseMsMax = 25;

interface Ticket {
  readonly ticket: number;
  readonly realm: string;
  readonly pid: number;
  readonly beat: number;
}

/** Where this process's id means this process: containers that share a folder have ids of their own. */
function realmOfPids(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // Systems without such spaces.
    return hostname();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Tickets ahead of one's own, with when their beats were seen to move, by this process's own clock: those of others may differ. */
class Watch {
  readonly #silentMsMax: number;
  readonly #realm: string;
  #seen = new Map<number, { readonly beat: number; readonly sinceMs: number }>();

  constructor(silentMsMax: number, realm: string) {
    this.#silentMsMax = silentMsMax;
    this.#realm = realm;
  }

  /** Those whose process is gone, or whose beats have stood still for too long. */
  left(ahead: readonly Ticket[]): number[] {
    const nowMs = performance.now();
    const seen = new Map<number, { readonly beat: number; readonly sinceMs: number }>();
    const left: number[] = [];
    for (const each of ahead) {
      const before = this.#seen.get(each.ticket);
      const now = before?.beat === each.beat ? before : { beat: each.beat, sinceMs: nowMs };
      seen.set(each.ticket, now);
      if (this.#isGone(each) || nowMs - now.sinceMs >= this.#silentMsMax) left.push(each.ticket);
    }
    this.#seen = seen;
    return left;
  }

  #isGone({ realm, pid }: Ticket): boolean {
    return realm === this.#realm && !isRunning(pid);
  }
}

/** Turns of one lake in an SQLite file of their own, among the processes of one host. The dead are found out. */
class SqliteTurns implements Turns {
  readonly #database: SqliteDatabase;
  readonly #lake: string;
  readonly #limits: SqliteTurnLimits;
  readonly #realm = realmOfPids();

  constructor(database: SqliteDatabase, lake: string, limits: SqliteTurnLimits) {
    this.#database = database;
    this.#lake = lake;
    this.#limits = limits;
  }

  /** Rejects with CATALOG_*, and leaves nothing that others would wait for. */
  async take(...datasets: readonly string[]): Promise<Turn> {
    const taken: Turn[] = [];
    const release = async (): Promise<void> => {
      for (const each of taken) await each.release();
    };
    try {
      for (const dataset of datasets) taken.push(await this.#takeOne(dataset));
    } catch (fault) {
      await release();
      throw fault;
    }
    return { isMine: taken.every(({ isMine }) => isMine), release };
  }

  async #takeOne(dataset: string): Promise<Turn> {
    const ticket = await this.#database.write((connection) => {
      const insert = connection.prepare("INSERT INTO sluice_turns (lake, dataset, realm, pid, beat) VALUES (?, ?, ?, ?, 0)");
      return Number(insert.run(this.#lake, dataset, this.#realm, process.pid).lastInsertRowid);
    });
    try {
      return await this.#wait(dataset, ticket);
    } catch (fault) {
      await this.#remove([ticket]).catch(() => undefined);
      throw fault;
    }
  }

  async #wait(dataset: string, ticket: number): Promise<Turn> {
    const { beatMs, silentMsMax, waitMsMax } = this.#limits;
    const start = performance.now();
    const watch = new Watch(silentMsMax, this.#realm);
    for (let beatAtMs = start; ;) {
      const ahead = await this.#database.read((connection) => this.#ahead(connection, dataset, ticket));
      if (ahead.length === 0) return this.#hold(ticket);
      const left = watch.left(ahead);
      if (left.length > 0) await this.#remove(left);
      const nowMs = performance.now();
      if (nowMs - start >= waitMsMax) {
        await this.#remove([ticket]);
        return noTurn;
      }
      if (nowMs - beatAtMs >= beatMs) {
        await this.#beat(ticket);
        beatAtMs = nowMs;
      }
      if (left.length === 0) await sleep(Math.min(pauseMsMax, pauseMs * ahead.length));
    }
  }

  #ahead(connection: DatabaseSync, dataset: string, ticket: number): readonly Ticket[] {
    const select = connection.prepare("SELECT ticket, realm, pid, beat FROM sluice_turns WHERE lake = ? AND dataset = ? AND ticket < ?");
    return select.all(this.#lake, dataset, ticket) as unknown as readonly Ticket[];
  }

  #hold(ticket: number): Turn {
    const until = performance.now() + this.#limits.heldMsMax;
    const beats = setInterval(() => {
      if (performance.now() >= until) clearInterval(beats);
      // Whoever can't be heard has the turn for no longer than the silent have it.
      else void this.#beat(ticket).catch(() => undefined);
    }, this.#limits.beatMs);
    beats.unref();
    const release = async (): Promise<void> => {
      clearInterval(beats);
      await this.#remove([ticket]).catch(() => undefined);
    };
    return { isMine: true, release };
  }

  async #beat(ticket: number): Promise<void> {
    await this.#database.write((connection) => connection.prepare("UPDATE sluice_turns SET beat = beat + 1 WHERE ticket = ?").run(ticket));
  }

  async #remove(tickets: readonly number[]): Promise<void> {
    await this.#database.write((connection) => {
      const remove = connection.prepare("DELETE FROM sluice_turns WHERE ticket = ?");
      for (const ticket of tickets) remove.run(ticket);
    });
  }
}

/** Turns in a database file, opened when it is first needed. */
export interface TurnsFile {
  readonly turns: Turns;
  close(): Promise<void>;
}

/** `lake` tells lakes apart that share one file. A file that can't be used is as good as none: everyone goes when they like. */
export function openTurnsFile(options: SqliteOptions, lake: string, limits: SqliteTurnLimits = limitsDefault): TurnsFile {
  let opened: Promise<SqliteDatabase> | null = null;
  // Nothing in it outlives its processes.
  const open = (): Promise<SqliteDatabase> => (opened ??= SqliteDatabase.open({ ...options, synchronous: "NORMAL" }, turnSchema));
  return {
    turns: {
      take: async (...datasets) => {
        try {
          return await new SqliteTurns(await open(), lake, limits).take(...datasets);
        } catch (fault) {
          if (!(fault instanceof SluiceError)) throw fault;
          return noTurn;
        }
      },
    },
    close: async () => {
      if (opened !== null) (await opened.catch(() => null))?.close();
    },
  };
}
