import type { Batch } from "../../core/batch.ts";
import type { Contract } from "../../core/contract.ts";
import { headersOf } from "../../core/headers.ts";
import type { EnvelopePlan, ValuePlan } from "../../core/record-plan.ts";
import type { Records } from "../../core/records.ts";
import type { Field } from "../../core/schema.ts";
import { joinColumns } from "../compose.ts";
import type { DecodeWithSchemas } from "../decoder.ts";
import type { DecodeFaultCode } from "../faults.ts";
import { JsonTexts, memberKey } from "../text/json-texts.ts";
import { mergeFaults } from "../text/merge-faults.ts";
import { TextCells } from "../text/text-cell.ts";
import { compileAttributes, outerFields } from "./attributes.ts";
import { fitsFormat, mediaType } from "./content-types.ts";
import { Members, PayloadSpans } from "./members.ts";

export type CloudEventsPlan = Extract<EnvelopePlan, { readonly kind: "cloudevents" }>;

const structuredType = "application/cloudevents+json";
const batchType = "application/cloudevents-batch+json";
const requiredAttributes = ["id", "source", "type"] as const;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * CloudEvents 1.0 in Kafka records (CNCF, "Kafka Protocol Binding"): structured events are JSON objects whose `data` is the payload; binary ones have
 * their attributes in `ce_` headers and the payload as the value. Batches of events in one record are none of these, and faults.
 */
export function compileCloudEvents(
  contract: Contract,
  plan: CloudEventsPlan,
  value: { readonly plan: ValuePlan; readonly compile: (contract: Contract) => DecodeWithSchemas },
): DecodeWithSchemas {
  const outer = outerFields(contract, plan.columns);
  const taken = new Set(plan.columns.map(({ column }) => column));
  const decode = value.compile({ ...contract, fields: contract.fields.filter(({ name }) => !taken.has(name)) });
  const attributes = compileAttributes(contract, outer);
  const options = { plan, format: value.plan.format, fields: outer.fields, bytesMax: contract.policies.oversized.bytes };
  return (records, schemas) => {
    const events = new EventReader(records, options);
    for (let row = 0; row < records.count; row++) events.read(row);
    const payload = events.spans.records();
    const batch = decode(payload, schemas);
    const merged: Batch = { ...mergeFaults(batch, events.texts.faults), records, payload: batch.payload ?? payload };
    return joinColumns(contract, merged, [attributes(records, events.texts)]);
  };
}

interface EventOptions {
  readonly plan: CloudEventsPlan;
  readonly format: ValuePlan["format"];
  /** The attributes that are columns. */
  readonly fields: readonly Field[];
  readonly bytesMax: number;
}

class EventReader {
  readonly spans: PayloadSpans;
  /** The attributes, and the faults. */
  readonly texts: JsonTexts;
  readonly #records: Records;
  readonly #options: EventOptions;
  readonly #cells: TextCells;
  readonly #members: Members;

  constructor(records: Records, options: EventOptions) {
    this.#records = records;
    this.#options = options;
    this.spans = new PayloadSpans(records);
    this.texts = new JsonTexts(records.count);
    this.#cells = new TextCells(this.texts);
    const own = ["specversion", ...requiredAttributes, "datacontenttype", "dataschema", "data", "data_base64"];
    this.#members = new Members([...new Set([...own, ...options.fields.map(({ sourceName }) => sourceName)])]);
  }

  read(row: number): void {
    const length = this.#records.valueLength[row] as number;
    const { plan, bytesMax } = this.#options;
    const headers = this.#headers(row);
    const contentType = headers.get("content-type");
    const media = contentType === undefined ? "" : mediaType(contentType);
    const isBinary = headers.has("ce_specversion") || headers.has("ce_id") || headers.has("ce_type");
    // A structured event may come without its content type from producers that know no headers.
    const isStructured = media === structuredType || (!isBinary && media !== batchType && plan.mode === "structured");
    // A record with neither value nor attributes is a tombstone, not an event.
    if (length < 0 && !isBinary) return;
    this.texts.begin();
    if (length > bytesMax) return this.#fail(row, "record.oversized", `${length} bytes, ${bytesMax} allowed`);
    if (!isStructured && !isBinary) return this.#fail(row, "cloudevents.not-event", media === batchType ? "it is a batch of events" : "");
    const mode = isStructured ? "structured" : "binary";
    if (plan.mode !== "either" && plan.mode !== mode) return this.#fail(row, "cloudevents.mode", mode);
    if (isStructured) this.#structured(row);
    else this.#binary(row, headers, contentType);
  }

  #fail(row: number, code: DecodeFaultCode, detail = ""): void {
    this.texts.fail(row, code, null, detail);
  }

  /** Headers by name, the first of each; a value that is no UTF-8 counts as empty. */
  #headers(row: number): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    if ((this.#records.headersLength[row] as number) <= 1) return found;
    for (const { key, value } of headersOf(this.#records, row)) {
      if ((key !== "content-type" && !key.startsWith("ce_")) || found.has(key) || value === null) continue;
      try {
        found.set(key, utf8.decode(value));
      } catch {
        found.set(key, "");
      }
    }
    return found;
  }

  #binary(row: number, headers: ReadonlyMap<string, string>, contentType: string | undefined): void {
    const version = headers.get("ce_specversion");
    if (version !== "1.0") return this.#fail(row, "cloudevents.version", version ?? "none");
    for (const name of requiredAttributes)
      if ((headers.get(`ce_${name}`) ?? "") === "") return this.#fail(row, "cloudevents.attribute", name);
    if (!this.#accepts(row, contentType ?? null, headers.get("ce_dataschema") ?? null)) return;
    const start = this.#records.valueStart[row] as number;
    const length = this.#records.valueLength[row] as number;
    if (length < 0) return this.#fail(row, "cloudevents.no-data");
    this.spans.span(row, start, start + length);
    let separator = "{";
    for (const field of this.#options.fields) {
      const text = field.sourceName === "datacontenttype" ? contentType : headers.get(`ce_${field.sourceName}`);
      if (text === undefined) continue;
      const bytes = Buffer.from(text, "utf8");
      this.texts.raw(separator + memberKey(field.sourceName));
      this.#cells.write(field, bytes, 0, bytes.length);
      separator = ",";
    }
    this.#endAttributes(row, separator);
  }

  #structured(row: number): void {
    const { bytes } = this.#records;
    const start = this.#records.valueStart[row] as number;
    const members = this.#members;
    if (!members.read(bytes, start, start + (this.#records.valueLength[row] as number))) {
      return this.texts.fail(row, members.fault, members.faultAt, members.detail);
    }
    const text = (name: string): string | null => members.text(bytes, members.index(name));
    const version = text("specversion");
    if (version !== "1.0") return this.#fail(row, "cloudevents.version", version ?? "none");
    for (const name of requiredAttributes) if ((text(name) ?? "") === "") return this.#fail(row, "cloudevents.attribute", name);
    if (!this.#accepts(row, text("datacontenttype"), text("dataschema"))) return;
    if (!this.#data(row)) return;
    let separator = "{";
    for (const { sourceName } of this.#options.fields) {
      const index = members.index(sourceName);
      const from = members.starts[index] as number;
      if (from < 0) continue;
      this.texts.raw(separator + memberKey(sourceName));
      this.texts.area.append(bytes, from, members.ends[index] as number);
      separator = ",";
    }
    this.#endAttributes(row, separator);
  }

  #endAttributes(row: number, separator: string): void {
    this.texts.raw(separator === "{" ? "{}" : "}");
    this.texts.end(row);
  }

  #accepts(row: number, contentType: string | null, dataSchema: string | null): boolean {
    const { format, plan } = this.#options;
    if (contentType !== null && mediaType(contentType) !== structuredType && !fitsFormat(contentType, format)) {
      this.#fail(row, "cloudevents.content-type", `${contentType.slice(0, 100)}, and the format is ${format}`);
      return false;
    }
    if (plan.dataSchemas !== null && !plan.dataSchemas.includes(dataSchema ?? "")) {
      this.#fail(row, "cloudevents.data-schema", dataSchema === null ? "none" : dataSchema.slice(0, 200));
      return false;
    }
    return true;
  }

  /** The payload of a structured event: JSON as it stands, text without its quotes, or what base64 means. */
  #data(row: number): boolean {
    const { bytes } = this.#records;
    const members = this.#members;
    const { area } = this.spans;
    const data = members.index("data");
    const encoded = members.index("data_base64");
    const mark = area.length;
    if (!members.isNull(bytes, encoded)) {
      const from = (members.starts[encoded] as number) + 1;
      const isText = members.first(bytes, encoded) === 0x22;
      if (members.isNull(bytes, data) && isText && area.base64(bytes, from, (members.ends[encoded] as number) - 1)) {
        this.spans.made(row, mark);
        return true;
      }
      this.#fail(row, "cloudevents.data");
      return false;
    }
    if (members.isNull(bytes, data)) {
      this.#fail(row, "cloudevents.no-data");
      return false;
    }
    const start = members.starts[data] as number;
    const end = members.ends[data] as number;
    if (this.#options.format === "json") this.spans.span(row, start, end);
    else if (bytes[start] === 0x22) {
      area.unescape(bytes, start + 1, end - 1);
      this.spans.made(row, mark);
    } else {
      this.#fail(row, "cloudevents.content-type", `JSON, and the format is ${this.#options.format}`);
      return false;
    }
    return true;
  }
}
