"""Polars by hand, or pandera over Polars (argument `pandera`): failing rows with their rules, a profile of every column, Parquet of the rows that pass."""
import json
import sys

import polars as pl

from twenty_rules import CARRIERS, DEST, NOT_NULL, ORIGINS, RANGES, TAIL, TYPES

source, folder, how = sys.argv[1], sys.argv[2], sys.argv[3]
names = {"int64": pl.Int64, "int32": pl.Int32, "string": pl.String, "double": pl.Float64, "timestamp": pl.String}
frame = pl.read_ndjson(source, schema={name: names[kind] for name, kind in TYPES.items()}).with_columns(
    pl.col("sched_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC", time_unit="us")
)


def masks() -> dict[str, pl.Expr]:
    column = pl.col
    tests = {f"{name} null": column(name).is_null() for name in NOT_NULL}
    tests |= {f"{name} range": (column(name) < low) | (column(name) > high) for name, (low, high) in RANGES.items()}
    tests["carrier set"] = ~column("carrier").is_in(CARRIERS)
    tests["origin set"] = ~column("origin").is_in(ORIGINS)
    tests["tailnum pattern"] = ~column("tailnum").str.contains(TAIL)
    tests["dest pattern"] = ~column("dest").str.contains(DEST)
    tests["air time"] = column("air_time_min") > column("distance_mi")
    tests["flight_id unique"] = column("flight_id").is_duplicated() & column("flight_id").is_not_null()
    return {name: test.fill_null(False) for name, test in tests.items()}


def by_hand() -> tuple[pl.DataFrame, list[bool]]:
    tests = masks()
    found = frame.lazy().with_row_index("line").select("line", **tests).filter(pl.any_horizontal(*tests)).collect()
    reasons = found.select("line", reasons=pl.concat_list([pl.when(pl.col(name)).then(pl.lit(name)) for name in tests]).list.drop_nulls())
    mean, share = frame.select(pl.col("dep_delay_min").mean(), pl.col("air_time_min").is_null().mean()).row(0)
    return reasons, [900_000 <= len(frame) <= 1_100_000, 5 <= mean <= 20, share <= 0.05]


def by_pandera() -> tuple[pl.DataFrame, list[bool]]:
    import pandera.polars as pa

    column, check = pa.Column, pa.Check
    checks = {name: [check.in_range(*RANGES[name])] for name in RANGES}
    checks["carrier"] = [check.isin(CARRIERS)]
    checks["origin"] = [check.isin(ORIGINS)]
    checks["tailnum"] = [check.str_matches(TAIL)]
    checks["dest"] = [check.str_matches(DEST)]
    columns = {
        name: column(nullable=name not in NOT_NULL, unique=name == "flight_id", checks=checks.get(name)) for name in [*NOT_NULL, *checks]
    }
    schema = pa.DataFrameSchema(
        columns,
        checks=[check(lambda data: data.lazyframe.select((pl.col("air_time_min") <= pl.col("distance_mi")).fill_null(True)), name="air time")],
    )
    found = pl.DataFrame(schema={"line": pl.Int32, "reasons": pl.String})
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.filter(pl.col("index").is_not_null())
        found = cases.group_by(pl.col("index").alias("line")).agg(reasons=pl.concat_str("column", "check", separator=" "))
    mean, share = frame.select(pl.col("dep_delay_min").mean(), pl.col("air_time_min").is_null().mean()).row(0)
    return found.sort("line"), [900_000 <= len(frame) <= 1_100_000, 5 <= mean <= 20, share <= 0.05]


failures, aggregates = by_pandera() if how == "pandera" else by_hand()
failures.write_ndjson(f"{folder}/failures.ndjson")
passed = frame.with_row_index("line").join(failures.select(pl.col("line").cast(pl.UInt32)), on="line", how="anti").drop("line")
profile = passed.describe()
distinct = passed.select(pl.all().approx_n_unique())
passed.write_parquet(f"{folder}/passed.parquet", compression="zstd")
print(json.dumps({"rows": len(frame), "bad": len(failures), "aggregates": aggregates, "profiled": profile.width + distinct.width}))
