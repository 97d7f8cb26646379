/** Generated from schemas/config.schema.json by `npm run generate`: change that, not this. */

export type LineageTransport = (LineageToAFile | LineageOverHTTP | LineageToKafka)
/**
 * A receiver of notices.
 */
export type AlertReceiver = (Webhook | SlackWebhook | PagerDuty | Alertmanager)

/**
 * One worker's configuration: where records come from, which contracts judge them, where the lake stands, and what is told to whom.
 */
export interface ConfigDocument {
/**
 * Name of this worker in decisions, metrics and logs. Two workers should not share one.
 */
worker: string
/**
 * Where promoted and quarantined records live: Iceberg tables in a folder or in S3, and the catalog that points at them, in an SQLite file or a PostgreSQL database.
 */
lake: {
/**
 * Warehouse folder. It is made if it is not there. With `s3`, only the SQLite catalog is in it, if there is one.
 */
folder: string
/**
 * The catalog's SQLite file, unless `postgres` is given. With `rest`, it keeps only what Sluice itself needs. Default: `catalog.db` in the warehouse folder. All workers of one lake share it, on one host.
 */
catalog?: string
s3?: S3Warehouse
postgres?: PostgreSQLCatalog
rest?: RESTCatalog
/**
 * Places that contracts may move old data files to (`retention`, with `archive`). The files stay a part of their tables, and every reader must reach them. An archive that holds files may not go.
 * 
 * @maxItems 16
 */
archives: Archive[]
/**
 * Iceberg namespace of the tables.
 */
namespace: string
}
/**
 * Where records come from.
 */
source: (KafkaSource | FileSource)
/**
 * What is judged: one contract a topic.
 * 
 * @minItems 1
 */
datasets: Dataset[]
registry?: SchemaRegistry
/**
 * Copies of quarantined records on a dead letter topic, with Connect-style headers. The quarantine table stays the truth. Needs a Kafka source.
 */
dlq: {
/**
 * Whether copies are sent.
 */
enabled: boolean
/**
 * The dead letter topic is the source topic's name with this behind it.
 */
topicSuffix: string
}
/**
 * OpenLineage events: one run a window.
 */
lineage: {
/**
 * Namespace of the jobs.
 */
namespace: string
/**
 * Where events go; none by default.
 */
transports: LineageTransport[]
}
/**
 * Who is told of incidents. Notices wait in the catalog's database until each receiver took them: nothing is lost while one is down, and data never wait.
 */
alerts: {
/**
 * Where notices go; none by default.
 */
receivers: AlertReceiver[]
/**
 * Which notices go where. Without any, every receiver is told all.
 */
routes: AlertRoute[]
}
/**
 * CloudEvents on a Kafka topic for what comes after, such as a retraining job: versions published, tagged, withdrawn and restored, and drift. Needs a Kafka source.
 */
events: {
/**
 * Whether events are sent.
 */
enabled: boolean
/**
 * The topic, on the cluster of the source.
 */
topic: string
/**
 * The events' `source`, a URI reference that names this installation.
 */
source: string
}
/**
 * OpenTelemetry traces, metrics and logs. Never values of records.
 */
telemetry: {
/**
 * Base URL of an OTLP/HTTP receiver, such as `http://127.0.0.1:4318`. Nothing is sent without it.
 */
otlpEndpoint?: string
/**
 * Port of a scrape endpoint on `http.host`. None without it.
 */
prometheusPort?: number
}
/**
 * Housekeeping of the lake's tables by `sluice run`, in a thread of its own; one worker at a time does it for each dataset. `sluice maintain` does the same at once.
 */
maintenance: {
/**
 * Whether `sluice run` does it.
 */
enabled: boolean
/**
 * A dataset's tables are looked after once in this time, by whichever worker comes first.
 */
intervalMs: number
/**
 * Snapshots older than this expire: time travel ends there. Tags, held windows, a pinned baseline and what a sink has yet to read stay. Default: 5 days.
 */
snapshotAgeMsMax: number
/**
 * So many of a branch's newest snapshots stay however old they are.
 */
snapshotsMin: number
/**
 * No more of a branch's newest snapshots stay, however young the others are: each is about 1 kB that every commit writes anew. Tags, held windows, a pinned baseline and what a sink has yet to read stay, and so does what a branch or the table's properties keep by age. Looked after four times an interval. Default: 2000.
 */
snapshotsMax: number
/**
 * Small data files are made into files of about this size.
 */
fileBytesTarget: number
/**
 * So many small files wait for each other before they are rewritten.
 */
filesMin: number
/**
 * Whether distinct values of main's columns are counted into Iceberg's statistics files (theta sketches), for planners of Trino and Spark. Every row is read once more for it, in the thread of maintenance.
 */
statistics: boolean
/**
 * Files that nothing names are removed once they are this old: longer than any commit is under way. Default: 3 days.
 */
orphanAgeMsMin: number
/**
 * Incidents that were over for longer than this are removed with their notices, but for those with windows that still wait and false positives; what persons said of them stays. Default: 365 days.
 */
incidentAgeMsMax: number
}
/**
 * What is served over HTTP: health (`/health/live`, `/health/ready`, `/health`), incidents (`/api/v1/incidents`), and the lake's tables as a catalog.
 */
http: {
/**
 * Whether the endpoints are served.
 */
enabled: boolean
/**
 * Address to listen on.
 */
host: string
/**
 * Port to listen on; 0 takes any free one, which the log names.
 */
port: number
catalog: CatalogServer
}
/**
 * What decodes, validates, profiles and encodes records.
 */
engine: {
/**
 * `compiled` runs a contract as WebAssembly made for it; `reference` runs the plain implementation that the compiled one is tested against, several times slower. Both decide alike.
 */
kind: ("compiled" | "reference")
/**
 * Threads that windows are judged in, so that heartbeats never wait on data; 0 judges in the main thread. Without: the machine's cores less one, at least 1.
 */
threads?: number
/**
 * JavaScript heap of one such thread in MiB. A thread that needs more is ended, and its open windows are read again.
 */
heapMib: number
}
/**
 * What becomes of quarantined records.
 */
quarantine: {
/**
 * Replays after which a record that still fails is parked, so that no replay loops.
 */
attemptsMax: number
}
/**
 * The log on standard error.
 */
log: {
/**
 * The least important level that is written.
 */
level: ("trace" | "debug" | "info" | "warn" | "error" | "silent")
/**
 * `json`: one object a line. `text`: for people. `auto`: text on a terminal, else json.
 */
format: ("auto" | "json" | "text")
}
}
/**
 * Keeps the lake's files in an S3 bucket instead of a folder. The service must know conditional writes (If-None-Match). Without keys here, credentials come from the environment (AWS_ACCESS_KEY_ID and the like), the shared AWS files, web identity, the container or the instance.
 */
export interface S3Warehouse {
/**
 * Bucket, and a folder in it, such as `s3://lake/sluice`.
 */
uri: string
/**
 * Address of a service that is not Amazon's, such as `https://minio:9000`.
 */
endpoint?: string
/**
 * Region. Default: as the environment says (AWS_REGION, the shared AWS files); `us-east-1` with an endpoint.
 */
region?: string
/**
 * Whether the bucket stands in the path of the address instead of its host name. Default: with an endpoint.
 */
pathStyle?: boolean
/**
 * Access key; its secret goes with it.
 */
accessKeyId?: string
/**
 * Secret of the access key; only as `${VARIABLE}`.
 */
secretAccessKey?: string
/**
 * Token of temporary keys; only as `${VARIABLE}`.
 */
sessionToken?: string
}
/**
 * Keeps the catalog in a PostgreSQL database, so that workers of several hosts can share a lake. Without a password here, PGPASSWORD and `~/.pgpass` count.
 */
export interface PostgreSQLCatalog {
/**
 * Address without a password, such as `postgres://sluice@db:5432/lake`. The tables are made if they are not there.
 */
url: string
/**
 * Password; only as `${VARIABLE}`.
 */
password?: string
/**
 * File that holds the password; a line break at its end is dropped.
 */
passwordFile?: string
tls?: TLS
}
/**
 * TLS of a connection. An empty object means TLS with the system's authorities.
 */
export interface TLS {
/**
 * PEM file of the authorities to trust.
 */
ca?: string
/**
 * PEM file of the client certificate.
 */
cert?: string
/**
 * PEM file of the client key.
 */
key?: string
/**
 * Name in the server's certificate, where it is not the host's.
 */
serverName?: string
/**
 * Whether certificates are verified. Turn off for tests only.
 */
verify: boolean
}
/**
 * Looks tables up in an Iceberg REST catalog. Cursors, claims and readings stay in `catalog` or `postgres`.
 */
export interface RESTCatalog {
/**
 * What stands before `/v1` in the catalog's addresses, such as `https://polaris:8181/api/catalog`.
 */
uri: string
/**
 * Which of the server's warehouses, where it has several.
 */
warehouse?: string
/**
 * Bearer token; only as `${VARIABLE}`.
 */
token?: string
/**
 * File that holds the bearer token; a line break at its end is dropped.
 */
tokenFile?: string
/**
 * Client of an OAuth2 login (client credentials), instead of a token.
 */
clientId?: string
/**
 * Secret of the client; only as `${VARIABLE}`.
 */
clientSecret?: string
/**
 * File that holds the client's secret; a line break at its end is dropped.
 */
clientSecretFile?: string
/**
 * Where tokens are given out. Default: the catalog's own `/v1/oauth/tokens`.
 */
oauthUri?: string
/**
 * OAuth2 scope to ask for, such as `PRINCIPAL_ROLE:ALL`.
 */
scope: string
tls?: TLS
/**
 * Asks the server for keys of each table's files, and uses them there. What they are not for (decisions and profiles lie beside the tables) is reached with `lake.s3`'s.
 */
vended: boolean
/**
 * How long one answer may take.
 */
timeoutMs: number
}
/**
 * A folder or a bucket for old data files, such as one on slower disks or of a cheaper storage class that answers at once.
 */
export interface Archive {
/**
 * What contracts call it.
 */
name: string
/**
 * Its folder, unless it is in S3.
 */
folder?: string
s3?: S3Warehouse
}
export interface KafkaSource {
/**
 * A Kafka cluster.
 */
kind: "kafka"
/**
 * Bootstrap addresses, `host:port`.
 * 
 * @minItems 1
 */
brokers: string[]
/**
 * Consumer group; all workers of one deployment share it.
 */
group: string
/**
 * The Kafka client behind the source.
 */
client: ("platformatic" | "kafkajs")
/**
 * Whether records of aborted transactions stay unread.
 */
isolation: ("read_committed" | "read_uncommitted")
/**
 * Where a partition without a recorded position begins: `earliest`, `latest`, or a time such as `2026-01-31T00:00:00Z`. Used once; after that the table knows.
 */
start: string
/**
 * Bytes fetched and not yet committed, over all partitions; beyond it fetching pauses. A window closes at a third of it, whatever its contract allows.
 */
bytesInFlightMax: number
/**
 * Largest record batch that is fetched. A batch above `bytesInFlightMax` is handled alone.
 */
recordBytesMax: number
/**
 * How long after a worker was last heard of its partitions go to others: the wait after a crash. The broker sets bounds (6 s to 30 min by default).
 */
sessionTimeoutMs: number
/**
 * Static membership: a worker that comes back with the same instance id gets its partitions back at once. Unique among the running workers of a group.
 */
instanceId?: string
tls?: TLS
sasl?: SASL
}
/**
 * SASL login. The password comes from the environment or from a file, never from this document.
 */
export interface SASL {
/**
 * Login mechanism.
 */
mechanism: ("PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512")
/**
 * User.
 */
username: string
/**
 * Password; only as `${VARIABLE}`.
 */
password?: string
/**
 * File that holds the password; a line break at its end is dropped.
 */
passwordFile?: string
}
export interface FileSource {
/**
 * NDJSON, CSV, Parquet, Arrow or Avro files.
 */
kind: "files"
/**
 * Files and folders, taken in name order. A file's content hash and row are the position, so resuming is exact.
 * 
 * @minItems 1
 */
paths: string[]
/**
 * What the files hold, whatever their names; `raw`: one record a file, as it stands in a topic. Default: as each name says.
 */
format?: ("ndjson" | "parquet" | "csv" | "arrow" | "avro" | "raw")
/**
 * Bytes read and not yet committed; beyond it reading pauses. A window closes at a third of it, whatever its contract allows.
 */
bytesInFlightMax: number
}
export interface Dataset {
/**
 * The ODCS contract file.
 */
contract: string
/**
 * Which schema object of the contract; needed where it has several.
 */
schema?: string
}
/**
 * The schema registry of contracts whose records are framed: Confluent's API (Confluent, Apicurio's `ccompat`, Karapace, Redpanda). While it is away, records wait; none is lost.
 */
export interface SchemaRegistry {
/**
 * Base URL, such as `https://registry:8081` or `http://registry:8080/apis/ccompat/v7`.
 */
url: string
/**
 * User of a basic login.
 */
username?: string
/**
 * Password; only as `${VARIABLE}`.
 */
password?: string
/**
 * File that holds the password; a line break at its end is dropped.
 */
passwordFile?: string
/**
 * Bearer token, instead of user and password; only as `${VARIABLE}`.
 */
token?: string
/**
 * File that holds the bearer token; a line break at its end is dropped.
 */
tokenFile?: string
tls?: TLS
/**
 * How long one answer may take.
 */
timeoutMs: number
}
export interface LineageToAFile {
/**
 * One event a line, appended.
 */
kind: "file"
/**
 * The NDJSON file.
 */
path: string
}
export interface LineageOverHTTP {
/**
 * One POST an event, as OpenLineage's HTTP transport does.
 */
kind: "http"
/**
 * Where events are posted, such as `http://127.0.0.1:5000/api/v1/lineage`.
 */
url: string
/**
 * Bearer token; only as `${VARIABLE}`.
 */
apiKey?: string
}
export interface LineageToKafka {
/**
 * Events on a topic of the source's cluster. Needs a Kafka source.
 */
kind: "kafka"
/**
 * The topic.
 */
topic: string
}
export interface Webhook {
/**
 * Posts each notice as JSON (`schemas/incident-notice.schema.json`).
 */
kind: "webhook"
/**
 * Its name in routes and metrics, and of its cursor: what was told it is remembered by this name.
 */
name: string
/**
 * Where to post.
 */
url: string
/**
 * Key of the requests' signature (HMAC-SHA-256, header `Sluice-Signature`); only as `${VARIABLE}`.
 */
secret?: string
/**
 * File that holds the signature's key; a line break at its end is dropped.
 */
secretFile?: string
/**
 * Bearer token; only as `${VARIABLE}`.
 */
token?: string
/**
 * File that holds the bearer token; a line break at its end is dropped.
 */
tokenFile?: string
tls?: TLS
/**
 * How long one answer may take.
 */
timeoutMs: number
}
export interface SlackWebhook {
/**
 * Posts to an incoming webhook of Slack, or of what takes the same (Mattermost).
 */
kind: "slack"
/**
 * Its name in routes and metrics, and of its cursor: what was told it is remembered by this name.
 */
name: string
/**
 * The webhook's URL, which is a secret; only as `${VARIABLE}`.
 */
url?: string
/**
 * File that holds the URL; a line break at its end is dropped.
 */
urlFile?: string
tls?: TLS
/**
 * How long one answer may take.
 */
timeoutMs: number
}
export interface PagerDuty {
/**
 * Sends events to PagerDuty's Events API v2, or to what speaks it.
 */
kind: "pagerduty"
/**
 * Its name in routes and metrics, and of its cursor: what was told it is remembered by this name.
 */
name: string
/**
 * Where events go.
 */
url: string
/**
 * Integration key of the service; only as `${VARIABLE}`.
 */
routingKey?: string
/**
 * File that holds the integration key; a line break at its end is dropped.
 */
routingKeyFile?: string
tls?: TLS
/**
 * How long one answer may take.
 */
timeoutMs: number
}
export interface Alertmanager {
/**
 * Posts alerts to an Alertmanager (API v2), and what is open once a minute.
 */
kind: "alertmanager"
/**
 * Its name in routes and metrics, and of its cursor: what was told it is remembered by this name.
 */
name: string
/**
 * Its base URL, such as `http://alertmanager:9093`.
 */
url: string
/**
 * Bearer token; only as `${VARIABLE}`.
 */
token?: string
/**
 * File that holds the bearer token; a line break at its end is dropped.
 */
tokenFile?: string
tls?: TLS
/**
 * How long one answer may take.
 */
timeoutMs: number
}
export interface AlertRoute {
/**
 * Names of receivers.
 * 
 * @minItems 1
 */
receivers: string[]
/**
 * Of these datasets only; without, of all.
 * 
 * @minItems 1
 */
datasets?: string[]
/**
 * At least this bad. `warning`: data went on, and are odd; `error`: a window is held; `critical`: a source stands still.
 */
severityMin: ("warning" | "error" | "critical")
}
/**
 * The lake's tables as an Iceberg REST catalog, for Spark, PyIceberg, DuckDB, Trino and any other client. `sluice catalog serve` serves it alone, and `sluice run` too where it is enabled.
 */
export interface CatalogServer {
/**
 * Whether `sluice run` serves the catalog.
 */
enabled: boolean
/**
 * Address to listen on. Tokens travel as they are: beyond this host, put TLS in front.
 */
host: string
/**
 * Port to listen on; 0 takes any free one, which the log names.
 */
port: number
/**
 * What requests without a token may do.
 */
anonymous: ("none" | "read" | "write" | "admin")
/**
 * Who may do what.
 */
tokens: CatalogToken[]
sessions?: Sessions
}
/**
 * A bearer token of the catalog. With its name as client id it is also the secret of OAuth's client credentials.
 */
export interface CatalogToken {
/**
 * Who it is: the reader in the record of who read what.
 */
name: string
/**
 * The token; only as `${VARIABLE}`.
 */
token?: string
/**
 * File that holds the token; a line break at its end is dropped.
 */
tokenFile?: string
/**
 * `read` loads tables; `write` also makes and changes them, within the rules that protect datasets; `admin` may also change the shape of datasets' tables, and drop them; `worker` is for Sluice's own workers (`lake.rest`): no rule protects datasets from it.
 */
scope: ("read" | "write" | "admin" | "worker")
/**
 * Namespaces that it reaches, each with all below it, levels joined by dots. Default: all.
 * 
 * @minItems 1
 */
namespaces?: string[]
s3?: HandedOutKeys
}
/**
 * Keys of the bucket that clients with this token are handed with each table, where they ask for it (`X-Iceberg-Access-Delegation: vended-credentials`). They are static: who has had them keeps them, and they grant what the bucket's rules say, whatever `scope` and `namespaces` say. Without: keys are made by `sessions`, or clients have keys of their own.
 */
export interface HandedOutKeys {
/**
 * Access key: one that may do no more than this token should.
 */
accessKeyId: string
/**
 * Its secret; only as `${VARIABLE}`.
 */
secretAccessKey: string
}
/**
 * Makes keys of the bucket for clients that ask (`X-Iceberg-Access-Delegation: vended-credentials`), show a token and have no `s3` at it: they end, and are cut to the table and to what the token may. For object stores with STS's `AssumeRole`.
 */
export interface Sessions {
/**
 * The role that `lake.s3`'s keys take on. Keys may do no more than it.
 */
roleArn: string
/**
 * Address of STS. Default: `lake.s3.endpoint`, or Amazon's own.
 */
endpoint?: string
/**
 * How long keys last.
 */
seconds: number
}
