/** Python lines that bring values to one form; what they print last is JSON. */
const plain = `
import sys, json, datetime, decimal, uuid
def plain(value):
    if isinstance(value, uuid.UUID): return str(value)
    if isinstance(value, (bytes, bytearray)): return "0x" + bytes(value).hex()
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None: value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")
    if isinstance(value, datetime.date): return value.isoformat()
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53: return str(value)
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        # PyArrow gives a map as pairs.
        if len(value) > 0 and all(isinstance(each, tuple) and len(each) == 2 for each in value): return {k: plain(v) for k, v in value}
        return [plain(v) for v in value]
    return value
def nanos(value):
    if value is None: return None
    seconds, rest = divmod(value, 10**9)
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:09d}"
def answers(questions, answer):
    found = []
    for question in questions:
        try: found.append({"rows": plain(answer(question))})
        except Exception as fault: found.append({"error": f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else ''}"})
    return found
`;

/** PyIceberg over the catalog's own file. Arguments: the lake's folder, the questions, what files are reached with (PyIceberg's properties). */
export const pyicebergAnswers = `${plain}
import pyiceberg, pyarrow as pa, sqlite3
from pyiceberg.catalog.sql import SqlCatalog
folder, questions, files = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false", **files)
def answer(q):
    table = catalog.load_table(f"db.{q['table']}")
    at = {}
    if q["snapshotId"] is not None: at["snapshot_id"] = int(q["snapshotId"])
    if q["ref"] is not None: at["snapshot_id"] = table.snapshot_by_name(q["ref"]).snapshot_id
    if q["where"] is not None: at["row_filter"] = q["where"]["pyiceberg"]
    found = table.scan(**at).to_arrow().sort_by("id").select(q["columns"])
    for place, field in enumerate(found.schema):
        # Python's own times end at microseconds.
        if not pa.types.is_timestamp(field.type) or field.type.unit != "ns": continue
        found = found.set_column(place, field.name, pa.array([nanos(v) for v in found[place].cast(pa.int64()).to_pylist()], pa.string()))
    return found.to_pylist()
places = dict(sqlite3.connect(f"{folder}/catalog.db").execute("select table_name, metadata_location from iceberg_tables where table_namespace = 'db'"))
def refs(name):
    try: return {ref: str(at.snapshot_id) for ref, at in catalog.load_table(f"db.{name}").refs().items()}
    # A table that it can't open; others may.
    except Exception: return {}
tables = {q["table"] for q in questions}
print(json.dumps({
    "version": pyiceberg.__version__,
    "metadata": {name: places[name] for name in tables},
    "refs": {name: refs(name) for name in tables},
    "answers": answers(questions, answer),
}))
`;

/** Polars over PyIceberg's catalog, with a reader of its own for the files. Arguments: as PyIceberg's. */
export const polarsAnswers = `${plain}
import polars
from polars import col
from pyiceberg.catalog.sql import SqlCatalog
folder, questions, files = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
catalog = SqlCatalog("sluice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}", init_catalog_tables="false", **files)
keys = None if files == {} else {
    "aws_access_key_id": files["s3.access-key-id"], "aws_secret_access_key": files["s3.secret-access-key"], "aws_region": files["s3.region"],
    "aws_endpoint_url": files["s3.endpoint"], "aws_allow_http": "true", "aws_virtual_hosted_style_request": "false"}
def maps(value):
    if isinstance(value, dict): return {k: maps(v) for k, v in value.items()}
    # It has no maps: a list of pairs.
    if isinstance(value, list) and len(value) > 0 and all(isinstance(each, dict) and set(each) == {"key", "value"} for each in value):
        return {each["key"]: maps(each["value"]) for each in value}
    return [maps(each) for each in value] if isinstance(value, list) else value
def answer(q):
    table = catalog.load_table(f"db.{q['table']}")
    at = None if q["snapshotId"] is None else int(q["snapshotId"])
    if q["ref"] is not None: at = table.snapshot_by_name(q["ref"]).snapshot_id
    rows = polars.scan_iceberg(table, snapshot_id=at, storage_options=keys)
    if q["where"] is not None:
        own = q["where"].get("polars")
        rows = rows.filter(polars.sql_expr(q["where"]["sql"]) if own is None else eval(own))
    found = rows.sort("id").select(q["columns"]).collect()
    for name, type in found.schema.items():
        # It has no type of UUIDs: their 16 bytes.
        if type == polars.Binary and any(str(field.field_type) == "uuid" for field in table.schema().fields if field.name == name):
            found = found.with_columns(polars.Series(name, [None if v is None else str(uuid.UUID(bytes=v)) for v in found[name].to_list()], polars.String))
        if isinstance(type, polars.Datetime) and type.time_unit == "ns":
            found = found.with_columns(polars.Series(name, [nanos(v) for v in found[name].to_physical().to_list()], polars.String))
    return [maps(row) for row in found.to_dicts()]
print(json.dumps({"version": polars.__version__, "answers": answers(questions, answer)}))
`;

/** DuckDB over metadata files. Arguments: metadata files and refs by table (it knows no refs), the questions, what files are reached with. */
export const duckdbAnswers = (open: string): string => `${plain}${open}
places, questions, files = json.loads(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
duck.sql("set TimeZone = 'UTC'")
if files != {}:
    key, secret, region, endpoint = (files["s3." + each] for each in ("access-key-id", "secret-access-key", "region", "endpoint"))
    duck.sql(f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', REGION '{region}', ENDPOINT '{endpoint.split('//')[1]}', URL_STYLE 'path', USE_SSL false)")
def answer(q):
    at = q["snapshotId"] if q["ref"] is None else places["refs"][q["table"]][q["ref"]]
    scan = f"iceberg_scan('{places['metadata'][q['table']]}'" + ("" if at is None else f", snapshot_from_id => {at}") + ")"
    types = {row[0]: row[1] for row in duck.sql(f"describe select * from {scan}").fetchall()}
    # Its Python side wants a package of time zones for instants.
    def column(c):
        if types[c] == "TIMESTAMP WITH TIME ZONE": return f'"{c}" at time zone \\'UTC\\' as "{c}"'
        return f'strftime("{c}", \\'%Y-%m-%dT%H:%M:%S.%n\\') as "{c}"' if types[c] == "TIMESTAMP_NS" else f'"{c}"'
    columns = [column(c) for c in q["columns"]]
    where = "" if q["where"] is None else " where " + (q["where"].get("duckdb") or q["where"]["sql"])
    found = duck.sql(f"select {', '.join(columns)} from {scan}{where} order by id")
    return [dict(zip(found.columns, row)) for row in found.fetchall()]
print(json.dumps({"version": duckdb.__version__, "answers": answers(questions, answer)}))
`;

/** Spark in its session; see test/spark. Arguments from the third on: the questions. */
export const sparkAnswers = `${plain}
questions = json.loads(sys.argv[3])
def answer(q):
    at = q["snapshotId"] if q["ref"] is None else f"'{q['ref']}'"
    version = "" if at is None else f" version as of {at}"
    where = "" if q["where"] is None else f" where {q['where']['sql']}"
    columns = ", ".join(f"\`{c}\`" for c in q["columns"])
    return [row.asDict(recursive=True) for row in spark.sql(f"select {columns} from sluice.db.{q['table']}{version}{where} order by id").collect()]
print(json.dumps({"version": spark.version, "answers": answers(questions, answer)}))
`;

/** Spark deletes rows by positions (vectors, in version 3), as its users do. Arguments from the third on: tables and conditions. */
export const sparkDeletes = `
for name, condition in json.loads(sys.argv[3]).items():
    spark.sql(f"alter table sluice.db.{name} set tblproperties ('write.delete.mode'='merge-on-read', 'write.delete.granularity'='partition')")
    spark.sql(f"delete from sluice.db.{name} where {condition}")
    print(json.dumps([row["file_format"] for row in spark.sql(f"select file_format from sluice.db.{name}.delete_files").collect()]))
`;
