/** `node scripts/check-tidy.ts [ROOT]`: prints what the tidy check finds, one line each; exits 1 if it found anything. */
import { resolve } from "node:path";
import { formatDiagnostic } from "../src/core/errors.ts";
import { tidy } from "./tidy/tidy.ts";

const found = tidy(resolve(process.argv[2] ?? "."));
for (const one of found) console.log(formatDiagnostic(one));
process.exitCode = found.length > 0 ? 1 : 0;
