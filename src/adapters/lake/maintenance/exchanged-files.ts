import type { ManifestEntry } from "../../iceberg/manifest.ts";
import type { NewFile } from "../../iceberg/replaced-files.ts";

/** Files of a version that go, and what comes for them: all of it happens, or none. */
export interface Exchange {
  readonly removed: readonly ManifestEntry[];
  /** None: the files go with their rows. */
  readonly added: readonly NewFile[];
}
