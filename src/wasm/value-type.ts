/** Types of WebAssembly values (core specification, section 2.3) that the emitter knows. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

/** Each type's byte in the binary format (section 5.3). */
export const valueTypeBytes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export const i32 = "i32" as const;
export const i64 = "i64" as const;
export const f64 = "f64" as const;
export const v128 = "v128" as const;
