"""The twenty rules on a Polars frame in memory: rows that fail with their rules, as they stand or `shuffled`. Prints the CPU seconds of each round."""
import json
import sys
import time

import polars as pl

from twenty_rules import CARRIERS, DEST, NOT_NULL, ORIGINS, RANGES, TAIL, TYPES

source, rounds, order = sys.argv[1], int(sys.argv[2]), sys.argv[3]
names = {"int64": pl.Int64, "int32": pl.Int32, "string": pl.String, "double": pl.Float64, "timestamp": pl.String}
frame = pl.read_ndjson(source, schema={name: names[kind] for name, kind in TYPES.items()})
if order == "shuffled":
    frame = frame.sample(fraction=1, shuffle=True, seed=1)
column = pl.col
tests = {f"{name} null": column(name).is_null() for name in NOT_NULL}
tests |= {f"{name} range": (column(name) < low) | (column(name) > high) for name, (low, high) in RANGES.items()}
tests["carrier set"] = ~column("carrier").is_in(CARRIERS)
tests["origin set"] = ~column("origin").is_in(ORIGINS)
tests["tailnum pattern"] = ~column("tailnum").str.contains(TAIL)
tests["dest pattern"] = ~column("dest").str.contains(DEST)
tests["air time"] = column("air_time_min") > column("distance_mi")
tests["flight_id unique"] = column("flight_id").is_duplicated() & column("flight_id").is_not_null()
tests = {name: test.fill_null(False) for name, test in tests.items()}
seconds = []
for _ in range(rounds):
    begin = time.process_time()
    found = frame.lazy().with_row_index("line").select("line", **tests).filter(pl.any_horizontal(*tests)).collect()
    seconds.append(time.process_time() - begin)
print(json.dumps({"rows": len(frame), "bad": len(found), "seconds": seconds}))
