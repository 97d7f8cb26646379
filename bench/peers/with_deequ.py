"""Deequ on Spark: row-level results of one check a rule, Deequ's own column profiles, Parquet of the rows that pass. Arguments: rows, folder, Deequ's jar."""
import json
import os
import sys

os.environ["SPARK_VERSION"] = "3.5"

from pydeequ.checks import Check, CheckLevel
from pydeequ.profiles import ColumnProfilerRunner
from pydeequ.verification import VerificationResult, VerificationSuite
from pyspark.sql import DataFrame, SparkSession, functions
from pyspark.sql.types import DoubleType, IntegerType, LongType, StringType, StructField, StructType, TimestampType

from twenty_rules import CARRIERS, DEST, NOT_NULL, ORIGINS, RANGES, TAIL, TYPES

source, folder, jar = sys.argv[1], sys.argv[2], sys.argv[3]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars", jar)
    .config("spark.driver.memory", "4g")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
kinds = {"int64": LongType(), "int32": IntegerType(), "string": StringType(), "double": DoubleType(), "timestamp": TimestampType()}
schema = StructType([StructField(name, kinds[kind]) for name, kind in TYPES.items()])
frame = spark.read.schema(schema).json("file://" + source).withColumn("line", functions.monotonically_increasing_id()).cache()
# A column of booleans a Check: one Check a rule, so that a row's reasons can be told apart.
checks = []


def rule(name: str) -> Check:
    check = Check(spark, CheckLevel.Error, name)
    checks.append((name, check))
    return check


for name in NOT_NULL:
    rule(f"{name} null").isComplete(name)
for name, (low, high) in RANGES.items():
    rule(f"{name} range").satisfies(f"{name} IS NULL OR {name} BETWEEN {low} AND {high}", f"{name} range")
for name, values in (("carrier", CARRIERS), ("origin", ORIGINS)):
    quoted = ", ".join(f"'{each}'" for each in values)
    rule(f"{name} set").satisfies(f"{name} IS NULL OR {name} IN ({quoted})", f"{name} set")
rule("tailnum pattern").satisfies(f"tailnum IS NULL OR tailnum RLIKE '{TAIL}'", "tailnum pattern")
rule("dest pattern").satisfies(f"dest IS NULL OR dest RLIKE '{DEST}'", "dest pattern")
rule("flight_id unique").isUnique("flight_id")
rule("air time").satisfies("air_time_min IS NULL OR distance_mi IS NULL OR air_time_min <= distance_mi", "air time")
whole = Check(spark, CheckLevel.Error, "whole").hasSize(lambda count: 900_000 <= count <= 1_100_000)
whole = whole.hasMean("dep_delay_min", lambda mean: 5 <= mean <= 20).hasCompleteness("air_time_min", lambda share: share >= 0.95)
suite = VerificationSuite(spark).onData(frame)
for _, check in checks:
    suite = suite.addCheck(check)
outcome = suite.addCheck(whole).run()
results = VerificationResult.checkResultsAsDataFrame(spark, outcome).collect()
aggregates = [row["constraint_status"] == "Success" for row in results if row["check"] == "whole"]
java = spark._jvm.com.amazon.deequ.VerificationResult.rowLevelResultsAsDataFrame(spark._jsparkSession, outcome.verificationRun, frame._jdf)
rows = DataFrame(java, spark).cache()
labels = [name for name, _ in checks]
fails = functions.array_compact(functions.array(*[functions.when(~functions.col(f"`{name}`"), functions.lit(name)) for name in labels]))
judged = rows.withColumn("reasons", fails)
failures = judged.filter(functions.size("reasons") > 0).select("line", "reasons").cache()
failures.write.mode("overwrite").json(f"file://{folder}/failures")
passed = judged.filter(functions.size("reasons") == 0).select(*TYPES)
profile = ColumnProfilerRunner(spark).onData(passed).run()
passed.write.mode("overwrite").option("compression", "zstd").parquet(f"file://{folder}/passed")
print(json.dumps({"rows": frame.count(), "bad": failures.count(), "aggregates": aggregates, "profiled": len(profile.profiles)}))
sys.stdout.flush()
spark.sparkContext._gateway.shutdown_callback_server()
spark.stop()
