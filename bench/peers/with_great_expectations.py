"""Great Expectations on pandas: every expectation with the rows that fail it, a profile by pandas, Parquet of the rows that pass."""
import json
import os
import sys

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as expect
import pyarrow as pa
import pyarrow.json

from twenty_rules import CARRIERS, DEST, NOT_NULL, ORIGINS, RANGES, TAIL, TYPES

source, folder = sys.argv[1], sys.argv[2]
names = {"int64": pa.int64(), "int32": pa.int32(), "string": pa.string(), "double": pa.float64(), "timestamp": pa.timestamp("us", "UTC")}
schema = pa.schema([(name, names[kind] if kind != "timestamp" else pa.string()) for name, kind in TYPES.items()])
frame = pa.json.read_json(source, parse_options=pa.json.ParseOptions(explicit_schema=schema)).to_pandas()
import pandas

frame["sched_hour"] = pandas.to_datetime(frame["sched_hour"], format="%Y-%m-%dT%H:%M:%SZ", utc=True)
frame["line"] = range(len(frame))
suite = gx.ExpectationSuite(
    name="twenty rules",
    expectations=[
        *[expect.ExpectColumnValuesToNotBeNull(column=name) for name in NOT_NULL],
        *[expect.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high) for name, (low, high) in RANGES.items()],
        expect.ExpectColumnValuesToBeInSet(column="carrier", value_set=CARRIERS),
        expect.ExpectColumnValuesToBeInSet(column="origin", value_set=ORIGINS),
        expect.ExpectColumnValuesToMatchRegex(column="tailnum", regex=TAIL),
        expect.ExpectColumnValuesToMatchRegex(column="dest", regex=DEST),
        expect.ExpectColumnValuesToBeUnique(column="flight_id"),
        expect.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="distance_mi", column_B="air_time_min", or_equal=True, ignore_row_if="either_value_is_missing"
        ),
        expect.ExpectTableRowCountToBeBetween(min_value=900_000, max_value=1_100_000),
        expect.ExpectColumnMeanToBeBetween(column="dep_delay_min", min_value=5, max_value=20),
        expect.ExpectColumnValuesToNotBeNull(column="air_time_min", mostly=0.95),
    ],
)
context = gx.get_context(mode="ephemeral")
definition = context.data_sources.add_pandas("pandas").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
batch = definition.get_batch(batch_parameters={"dataframe": frame})
result = batch.validate(suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["line"]})
reasons: dict[int, list[str]] = {}
aggregates = []
for each in result.results:
    config = each.expectation_config
    if config.type in ("expect_table_row_count_to_be_between", "expect_column_mean_to_be_between") or config.kwargs.get("mostly", 1) < 1:
        aggregates.append(bool(each.success))
        continue
    for found in (each.result or {}).get("unexpected_index_list") or []:
        reasons.setdefault(int(found["line"]), []).append(f"{config.kwargs.get('column')} {config.type}")
with open(f"{folder}/failures.ndjson", "w") as out:
    for line in sorted(reasons):
        out.write(json.dumps({"line": line, "reasons": reasons[line]}) + "\n")
passed = frame[~frame["line"].isin(reasons)].drop(columns="line")
profile = passed.describe(include="all")
passed.to_parquet(f"{folder}/passed.parquet", compression="zstd")
print(json.dumps({"rows": len(frame), "bad": len(reasons), "aggregates": aggregates, "profiled": len(profile.columns)}))
