import type { ProtoMessage } from "./proto-schema.ts";

/** A message of a file with the messages that are declared inside it, both in the file's order: what a registry's message indexes count. */
export interface ProtoDeclaration {
  readonly message: ProtoMessage;
  readonly nested: readonly ProtoDeclaration[];
}

/** The messages that a `.proto` file (not its imports) or a descriptor set declares. */
export interface ProtoFile {
  readonly messages: readonly ProtoDeclaration[];
}

/** The message of a full name, or null. */
export function messageNamed(declarations: readonly ProtoDeclaration[], name: string): ProtoMessage | null {
  for (const { message, nested } of declarations) {
    if (message.name === name) return message;
    if (name.startsWith(`${message.name}.`)) return messageNamed(nested, name);
  }
  return null;
}

/** The message that a path of indexes leads to ([1, 0]: the first message inside the file's second), or null. */
export function messageAt(declarations: readonly ProtoDeclaration[], indexes: readonly number[]): ProtoMessage | null {
  const [first, ...rest] = indexes;
  const found = first === undefined ? undefined : declarations[first];
  if (found === undefined) return null;
  return rest.length === 0 ? found.message : messageAt(found.nested, rest);
}
