"""The twenty rules of the peers' bench, as every peer reads them; `twenty-rules.odcs.yaml` says the same to Sluice."""

CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]
ORIGINS = ["EWR", "JFK", "LGA"]
NOT_NULL = ["flight_id", "carrier", "origin", "dest", "sched_hour"]
RANGES = {
    "distance_mi": (10, 5500),
    "dep_delay_min": (-60, 1500),
    "air_time_min": (15, 720),
    "sched_dep_hhmm": (0, 2359),
    "flight_number": (1, 9999),
}
TAIL = r"^[ND][0-9A-Z]{2,5}$"
DEST = r"^[A-Z]{3}$"
# Besides: flight_id unique (every row of a repeated key offends), air_time_min <= distance_mi, 900,000 to 1,100,000 rows,
# mean of dep_delay_min in 5 to 20, at most 5% of air_time_min null.

# Column types, so that no reader has to guess them from the text.
TYPES = {
    "flight_id": "int64", "flight_date": "int32", "sched_hour": "timestamp", "sched_dep_hhmm": "int32", "sched_arr_hhmm": "int32",
    "dep_hhmm": "int32", "arr_hhmm": "int32", "dep_delay_min": "int32", "arr_delay_min": "int32", "carrier": "string",
    "flight_number": "int32", "tailnum": "string", "origin": "string", "dest": "string", "air_time_min": "int32",
    "distance_mi": "int32", "temp_f": "double", "wind_mph": "double", "precip_in": "double", "visibility_mi": "double",
}
