import { createRequire } from "node:module";
import type * as ajv from "ajv";
import type * as ajv2020 from "ajv/dist/2020.js";
import type * as cel from "@bufbuild/cel";
import type * as protobuf from "@bufbuild/protobuf";
import type * as protobufReflect from "@bufbuild/protobuf/reflect";
import type * as protobufTypes from "@bufbuild/protobuf/wkt";
import type * as wasmUtils from "@platformatic/wasm-utils";
import type * as protobufjs from "protobufjs";

const load = createRequire(import.meta.url);

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/**
 * Packages that few contracts need, each loaded when it is first asked for: every thread that judges would load them all before its first row, and they are half of
 * what it loads.
 */
export const library = {
  ajv: once(() => load("ajv") as typeof ajv),
  ajv2020: once(() => load("ajv/dist/2020.js") as typeof ajv2020),
  cel: once(() => load("@bufbuild/cel") as typeof cel),
  protobuf: once(() => load("@bufbuild/protobuf") as typeof protobuf),
  protobufReflect: once(() => load("@bufbuild/protobuf/reflect") as typeof protobufReflect),
  protobufTypes: once(() => load("@bufbuild/protobuf/wkt") as typeof protobufTypes),
  protobufjs: once(() => load("protobufjs") as typeof protobufjs),
  wasmUtils: once(() => load("@platformatic/wasm-utils") as typeof wasmUtils),
} as const;
