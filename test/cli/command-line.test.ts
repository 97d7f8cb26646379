import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { sluice } from "./sluice.ts";

describe("help", () => {
  it.each(commands.map((one) => one.name))("of %s leads with examples and ends with 0", async (name) => {
    const { code, out, err } = await sluice([...name.split(" "), "--help"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out.startsWith("Examples:\n  ")).toBe(true);
    expect(out.indexOf("Usage: sluice " + name)).toBeGreaterThan(0);
    expect(out).toContain("--json");
  });

  it("of all has every command", async () => {
    const { code, out } = await sluice(["--help"]);
    expect(code).toBe(0);
    for (const first of new Set(commands.map((one) => one.name.split(" ")[0]))) expect(out).toMatch(new RegExp(`^  ${first} `, "m"));
  });

  it("has no option that takes a secret", () => {
    const flags = commands.flatMap((one) => one.options.map((option) => option.flags));
    expect(flags.filter((one) => /pass|secret|token|credential|(?:api|access|private)-?key/i.test(one))).toEqual([]);
  });
});

describe("a wrong command line ends with 2", () => {
  it.each([
    ["an unknown command", ["quarantin"], /unknown command 'quarantin'[^]*quarantine/],
    ["an unknown option", ["status", "--jsn"], /unknown option '--jsn'[^]*--json/],
    ["a missing argument", ["check"], /missing required argument 'contract'/],
    ["a choice that is none", ["quarantine", "list", "--state", "lost"], /Allowed choices are open/],
    ["both answers", ["unblock", "--retry", "--hold"], /either --retry or --hold/],
    ["an offset without its partition", ["source", "reset", "--to", "5"], /--partition/],
    ["a time that is none", ["source", "reset", "--to", "soon"], /takes earliest, latest, a time/],
  ])("%s", async (_title, args, says) => {
    const { code, out, err } = await sluice(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(says);
    expect(err).toContain("--help");
  });

  it("also as JSON", async () => {
    const { code, out } = await sluice(["unblock", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({ error: { code: "USAGE", message: "say either --retry or --hold" } });
  });
});

describe("what can't be done ends with 1 and says what to do", () => {
  it("in words", async () => {
    const { code, err } = await sluice(["status", "--config", "/nowhere/sluice.yaml"]);
    expect(code).toBe(1);
    expect(err).toBe("error: no configuration at /nowhere/sluice.yaml: there is no such file [FILE_NOT_FOUND]\nCheck the path.\n");
  });

  it("as JSON", async () => {
    const { code, out, err } = await sluice(["status", "--config", "/nowhere/sluice.yaml", "--json"]);
    expect([code, err]).toEqual([1, ""]);
    expect(JSON.parse(out)).toMatchObject({ error: { code: "FILE_NOT_FOUND", action: "Check the path.", retryable: false } });
  });
});
