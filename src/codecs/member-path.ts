/** Code points of a field's name that are kept. */
const namePointsMax = 128;

/** The path of a member of what stands at `prefix` (empty: the record); a name that could be read as a path stands in quotes. */
export function memberPath(prefix: string, name: string): string {
  const told = /^[^.[\]"…]+$/u.test(name) ? name : JSON.stringify(name);
  return prefix === "" ? told : `${prefix}.${told}`;
}

/** A producer's name for a field, as far as it is kept. */
export function cutName(name: string): string {
  return name.length <= namePointsMax ? name : Array.from(name).slice(0, namePointsMax).join("");
}
