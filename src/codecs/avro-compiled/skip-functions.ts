import type { AvroSchema } from "../../core/avro/avro-schema.ts";
import {
  add,
  and,
  c32,
  c64,
  eqz,
  extend32S,
  geU,
  gtS,
  gtU,
  load8U,
  ltS,
  ne,
  or,
  shrU,
  sub,
  wrap,
  xor,
  type Expr,
} from "../../wasm/expression.ts";
import type { FunctionBuilder, FunctionRef, Local } from "../../wasm/function-builder.ts";
import type { WasmModule } from "../../wasm/module.ts";
import { i32, i64 } from "../../wasm/value-type.ts";
import { isEmptySchema } from "../avro/avro-cursor.ts";
import type { WireFunctions } from "../wire/text-functions.ts";

/** Levels that emitted functions go down; deeper records are left to the reference, which has its own bound. */
const depthMax = 64;

/** A whole number's zig-zag form undone. */
export function unzigzag(word: Expr): Expr {
  return xor(shrU(word, c64(1)), sub(c64(0), and(word, c64(1))));
}

/** Functions (p, end, depth) that pass over values of a schema: the position behind, or 0 where the record is to be given up. */
export class SkipFunctions {
  readonly #m: WasmModule;
  readonly #wire: WireFunctions;
  readonly #made = new Map<AvroSchema, FunctionRef>();

  constructor(m: WasmModule, wire: WireFunctions) {
    this.#m = m;
    this.#wire = wire;
  }

  /** Declares what passing over a schema needs; before the function that calls it is written. */
  of(schema: AvroSchema): FunctionRef {
    const known = this.#made.get(schema);
    if (known !== undefined) return known;
    const made = this.#m.declare([i32, i32, i32], [i32]);
    this.#made.set(schema, made);
    this.#m.implement(made, (f, [p, end, depth]) => {
      f.if(gtU(depth, c32(depthMax)), () => f.return(c32(0)));
      this.#write(f, schema, { p, end, depth });
      f.if(gtS(p, end), () => f.return(c32(0)));
      f.return(p);
    });
    return made;
  }

  #write(f: FunctionBuilder, schema: AvroSchema, at: { readonly p: Local; readonly end: Local; readonly depth: Local }): void {
    const { p, end, depth } = at;
    const leaveIf = (condition: Expr): void => f.if(condition, () => f.return(c32(0)));
    const inner = (of: AvroSchema): void => {
      f.set(p, f.call(this.of(of), p, end, add(depth, c32(1))));
      leaveIf(eqz(p));
    };
    switch (schema.type) {
      case "null":
        return;
      case "boolean":
        leaveIf(gtU(load8U(p), c32(1)));
        return f.set(p, add(p, c32(1)));
      case "int":
      case "long": {
        const value = f.local(i64);
        this.#long(f, p, value);
        if (schema.type === "int") leaveIf(ne(value, extend32S(value)));
        return;
      }
      case "float":
        return f.set(p, add(p, c32(4)));
      case "double":
        return f.set(p, add(p, c32(8)));
      case "bytes":
      case "string":
        return this.#sized(f, p, end);
      case "fixed":
        leaveIf(gtS(c32(schema.size), sub(end, p)));
        return f.set(p, add(p, c32(schema.size)));
      case "enum": {
        const value = f.local(i64);
        this.#long(f, p, value);
        return leaveIf(geU(value, c64(schema.symbols.length)));
      }
      case "union": {
        const value = f.local(i64);
        this.#long(f, p, value);
        leaveIf(geU(value, c64(schema.branches.length)));
        return f.switch(
          wrap(value),
          schema.branches.map((branch) => () => (isEmptySchema(branch) ? undefined : inner(branch))),
        );
      }
      case "record":
        for (const field of schema.fields) if (!isEmptySchema(field.schema)) inner(field.schema);
        return;
      case "array":
        return this.#blocks(f, schema.items, false, at);
      case "map":
        return this.#blocks(f, schema.values, true, at);
    }
  }

  #long(f: FunctionBuilder, p: Local, value: Local): void {
    const start = f.local(i32);
    f.set(start, p);
    f.set(p, f.call(this.#wire.varint, p));
    f.if(eqz(p), () => f.return(c32(0)));
    // A tenth byte is the reference's to judge.
    f.if(gtU(sub(p, start), c32(9)), () => f.return(c32(0)));
    f.set(value, unzigzag(this.#wire.word));
  }

  #sized(f: FunctionBuilder, p: Local, end: Local): void {
    const value = f.local(i64);
    this.#long(f, p, value);
    f.if(or(gtU(value, c64(0x7fff_ffff)), gtS(wrap(value), sub(end, p))), () => f.return(c32(0)));
    f.set(p, add(p, wrap(value)));
  }

  #blocks(
    f: FunctionBuilder,
    items: AvroSchema,
    keyed: boolean,
    { p, end, depth }: { readonly p: Local; readonly end: Local; readonly depth: Local },
  ): void {
    const count = f.local(i64);
    const left = f.local(i32);
    f.block((out) => {
      f.loop((again) => {
        this.#long(f, p, count);
        f.brIf(out, eqz(count));
        // Blocks with sizes, and counts that only items without bytes can have, are the reference's.
        f.if(or(ltS(count, c64(0)), gtU(count, c64(0x7fff_ffff))), () => f.return(c32(0)));
        f.set(left, wrap(count));
        f.if(gtS(left, sub(end, p)), () => f.return(c32(0)));
        if (keyed || !isEmptySchema(items)) {
          f.loop((next) => {
            if (keyed) this.#sized(f, p, end);
            if (items.type !== "null") {
              f.set(p, f.call(this.of(items), p, end, add(depth, c32(1))));
              f.if(eqz(p), () => f.return(c32(0)));
            }
            f.if(gtS(p, end), () => f.return(c32(0)));
            f.set(left, sub(left, c32(1)));
            f.brIf(next, left);
          });
        }
        f.br(again);
      });
    });
  }
}
