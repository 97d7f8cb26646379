"""DuckDB by hand: NDJSON to a table, one mask a row, failing rows with their rules, a profile of every column, Parquet of the rows that pass."""
import json
import sys

import duckdb

from twenty_rules import CARRIERS, DEST, NOT_NULL, ORIGINS, RANGES, TAIL, TYPES

source, folder, threads = sys.argv[1], sys.argv[2], sys.argv[3]
con = duckdb.connect()
con.execute(f"set threads = {threads}")
con.execute("set enable_progress_bar = false")
con.execute("set TimeZone = 'UTC'")
names = {"int64": "bigint", "int32": "integer", "string": "varchar", "double": "double", "timestamp": "timestamptz"}
columns = ", ".join(f"{name}: '{names[kind]}'" for name, kind in TYPES.items())
quoted = lambda values: "(" + ", ".join(repr(each) for each in values) + ")"
rules = {
    **{f"{name} null": f"{name} is null" for name in NOT_NULL},
    **{f"{name} range": f"{name} < {low} or {name} > {high}" for name, (low, high) in RANGES.items()},
    "carrier set": f"carrier not in {quoted(CARRIERS)}",
    "origin set": f"origin not in {quoted(ORIGINS)}",
    "tailnum pattern": f"not regexp_matches(tailnum, '{TAIL}')",
    "dest pattern": f"not regexp_matches(dest, '{DEST}')",
    "air time": "air_time_min > distance_mi",
}
mask = " | ".join(f"(case when {test} then {1 << i} else 0 end)" for i, test in enumerate(rules.values()))
con.execute(
    f"create temp table rows as select row_number() over () as line, *, {mask} as mask "
    f"from read_json('{source}', format = 'newline_delimited', columns = {{{columns}}})"
)
con.execute("create temp table repeated as select flight_id from rows where flight_id is not null group by 1 having count(*) > 1")
con.execute(f"update rows set mask = mask | {1 << len(rules)} where flight_id in (select flight_id from repeated)")
labels = [*rules, "flight_id unique"]
reasons = "list_filter([" + ", ".join(f"case when mask & {1 << i} <> 0 then '{name}' end" for i, name in enumerate(labels)) + "], lambda each: each is not null)"
con.execute(f"copy (select line, {reasons} as reasons from rows where mask <> 0 order by line) to '{folder}/failures.ndjson' (format json)")
total, mean, share, bad = con.execute(
    "select count(*), avg(dep_delay_min), count(*) filter (air_time_min is null) / count(*), count(*) filter (mask <> 0) from rows"
).fetchone()
profile = con.execute("summarize select * exclude (line, mask) from rows where mask = 0").fetchall()
con.execute(f"copy (select * exclude (line, mask) from rows where mask = 0) to '{folder}/passed.parquet' (format parquet, compression zstd)")
aggregates = [900_000 <= total <= 1_100_000, 5 <= mean <= 20, share <= 0.05]
print(json.dumps({"rows": total, "bad": bad, "aggregates": aggregates, "profiled": len(profile)}))
