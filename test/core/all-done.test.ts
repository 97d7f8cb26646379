import { expect, it } from "vitest";
import { allDone } from "../../src/core/all-done.ts";

it("gives what all of the work gives, in order", async () => {
  expect(await allDone([Promise.resolve(1), Promise.resolve("two")])).toEqual([1, "two"]);
});

it("tells a fault only when the rest has ended", async () => {
  let end = (): void => {};
  let ended = false;
  const slow = new Promise<void>((resolve) => (end = resolve)).then(() => void (ended = true));
  const told = allDone([Promise.reject(new Error("the first")), slow]).catch((fault: Error) => ({ message: fault.message, ended }));
  await new Promise((resolve) => setImmediate(resolve));
  end();
  expect(await told).toEqual({ message: "the first", ended: true });
});
