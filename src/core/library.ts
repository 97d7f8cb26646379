import { createRequire } from "node:module";

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
  ajv: once(() => load("ajv") as typeof import("ajv")),
  ajv2020: once(() => load("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js")),
  cel: once(() => load("@bufbuild/cel") as typeof import("@bufbuild/cel")),
  protobuf: once(() => load("@bufbuild/protobuf") as typeof import("@bufbuild/protobuf")),
  protobufReflect: once(() => load("@bufbuild/protobuf/reflect") as typeof import("@bufbuild/protobuf/reflect")),
  protobufTypes: once(() => load("@bufbuild/protobuf/wkt") as typeof import("@bufbuild/protobuf/wkt")),
  protobufjs: once(() => load("protobufjs") as typeof import("protobufjs")),
} as const;
