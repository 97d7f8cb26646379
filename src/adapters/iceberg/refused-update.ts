/**
 * A change of metadata that the table can't take. `stale`: it was made from a version that is no longer the current one, and may hold when it is made
 * again from that; any other is a mistake of who made it.
 */
export class RefusedUpdate extends Error {
  readonly stale: boolean;

  constructor(message: string, stale = false) {
    super(message);
    this.name = "RefusedUpdate";
    this.stale = stale;
  }
}
