/** DuckDB's types of the peers' columns, so that it need not guess them from the text. */
const types: Readonly<Record<string, string>> = {
  flight_id: "bigint",
  flight_date: "integer",
  sched_hour: "timestamptz",
  sched_dep_hhmm: "integer",
  sched_arr_hhmm: "integer",
  dep_hhmm: "integer",
  arr_hhmm: "integer",
  dep_delay_min: "integer",
  arr_delay_min: "integer",
  carrier: "varchar",
  flight_number: "integer",
  tailnum: "varchar",
  origin: "varchar",
  dest: "varchar",
  air_time_min: "integer",
  distance_mi: "integer",
  temp_f: "double",
  wind_mph: "double",
  precip_in: "double",
  visibility_mi: "double",
};

const ranges = [
  ["distance_mi", 10, 5500],
  ["dep_delay_min", -60, 1500],
  ["air_time_min", 15, 720],
  ["sched_dep_hhmm", 0, 2359],
  ["flight_number", 1, 9999],
] as const;

/** The rules of one row as a person would write them in SQL: the row breaks one where its test is true. */
const tests: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["flight_id", "carrier", "origin", "dest", "sched_hour"].map((name) => [`${name} null`, `${name} is null`])),
  ...Object.fromEntries(ranges.map(([name, low, high]) => [`${name} range`, `${name} < ${low} or ${name} > ${high}`])),
  "carrier set": "carrier not in ('9E','AA','AS','B6','DL','EV','F9','FL','HA','MQ','OO','UA','US','VX','WN','YV')",
  "origin set": "origin not in ('EWR','JFK','LGA')",
  "tailnum pattern": "not regexp_matches(tailnum, '^[ND][0-9A-Z]{2,5}$')",
  "dest pattern": "not regexp_matches(dest, '^[A-Z]{3}$')",
  "air time": "air_time_min > distance_mi",
};

/** Pieces of SQL over the peers' rows: the columns to read, one bit a broken rule, and the names of a row's bits (`again`: its key is another row's too). */
export function rowRules(): { readonly columns: string; readonly mask: string; readonly reasons: string } {
  const names = Object.keys(tests);
  const named = names.map((name, i) => `case when mask & ${2 ** i} <> 0 then '${name}' end`);
  return {
    columns: Object.entries(types)
      .map(([name, type]) => `${name}: '${type}'`)
      .join(", "),
    mask: Object.values(tests)
      .map((test, i) => `(case when ${test} then ${2 ** i} else 0 end)`)
      .join(" | "),
    reasons: `list_filter([${named.join(", ")}, case when again then 'flight_id unique' end], lambda each: each is not null)`,
  };
}

/**
 * A profile of every column of a query's rows: values, bounds, distinct values, and of numbers mean, deviation and quartiles; with `top`, the most
 * frequent values too. By hand, since SUMMARIZE takes as long without those.
 */
export function profileQuery(rows: string, top: boolean): string {
  const parts = Object.entries(types).flatMap(([name, type]) => {
    const always = [`count(${name})`, `min(${name})`, `max(${name})`, `approx_count_distinct(${name})`];
    const frequent = top ? [`approx_top_k(${name}, 10)`] : [];
    if (type === "varchar") return [...always, ...frequent];
    // Times have no mean.
    const ordered = [`approx_quantile(${name}, ${type === "timestamptz" ? "0.5" : "[0.25, 0.5, 0.75]"})`];
    return [...always, ...frequent, ...ordered, ...(type === "timestamptz" ? [] : [`avg(${name})`, `stddev(${name})`])];
  });
  return `select ${parts.join(", ")} from ${rows}`;
}
