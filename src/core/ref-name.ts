import { SluiceError } from "./errors.ts";

/** Prefixes of refs that only Sluice makes: held windows, and what a rollback withdrew. */
const ownPrefixes = ["held/", "withdrawn/", "sluice/"] as const;

const form = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/;

/** Whether a ref is one of Sluice's own, which people neither make nor drop. */
export function isOwnRef(name: string): boolean {
  return name === "main" || ownPrefixes.some((prefix) => name.startsWith(prefix));
}

/** Whether a text would be read as a time, a span, or a snapshot's id. */
function readsOtherwise(name: string): boolean {
  return /^\d+[smhd]?$/.test(name) || /^\d{4}-\d{2}-\d{2}/.test(name);
}

/** Rejects with REF_NAME_INVALID what can't name a person's tag or branch. Every name that passes can be written in SQL, paths and URLs after quoting. */
export function checkRefName(name: string): void {
  const refuse = (why: string): never => {
    throw new SluiceError("REF_NAME_INVALID", `${JSON.stringify(name)} can't name a tag or branch: ${why}`);
  };
  if (!form.test(name)) refuse("it takes up to 128 letters, digits and `. _ / -`, a letter or digit first");
  if (/\/\/|\.\.|[./]$/.test(name)) refuse("it has an empty part, or ends in `.` or `/`");
  if (isOwnRef(name)) refuse(`main and names that begin with ${ownPrefixes.join(", ")} are Sluice's own`);
  if (readsOtherwise(name)) refuse("it would be read as a number or a time");
}
