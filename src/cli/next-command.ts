import type { Invocation } from "./command.ts";

/** A command to type next, about the same configuration; `dataset` where it has to be named. */
export function nextCommand(invocation: Invocation, words: string, dataset: string | null = invocation.text("dataset")): string {
  const config = invocation.text("config");
  const rest = [...(dataset === null ? [] : ["--dataset", quoted(dataset)]), ...(config === null ? [] : ["--config", quoted(config)])];
  return ["sluice", words, ...rest].join(" ");
}

function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
