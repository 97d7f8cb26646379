import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { CommandSpec } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands/index.ts";
import type { Recording } from "../alerts/recording.ts";
import { expectations } from "./rule-expectations.ts";
import { findTool } from "./tools.ts";

const root = resolve(import.meta.dirname, "../..");
const deploy = join(root, "deploy");
const runbooks = join(root, "docs/how-to/runbooks");
const rulesFile = join(deploy, "prometheus/sluice.rules.yaml");
const folder = mkdtempSync(join(tmpdir(), "sluice-rules-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
const { groups } = parse(readFileSync(rulesFile, "utf8")) as { groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const recording = JSON.parse(readFileSync(join(root, "test/alerts/recorded-run.json"), "utf8")) as Recording;

const promtool = findTool("promtool's judgement of rules", "promtool");
const amtool = findTool("amtool's judgement of routes", "amtool");
const collector = findTool("the collector's judgement of its configuration", "otelcol-contrib", "otelcol");

/** Names of metrics in a query, and labels that it selects or groups by. */
function namesOf(expr: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  const metrics = [...expr.matchAll(/\b(?:sluice|messaging)[_:][a-z0-9_:]+/g)].map((match) => match[0]);
  const selected = [...expr.matchAll(/([a-z_]+)(?:=~|!=|!~|=)"/g)].map((match) => match[1] as string);
  const grouped = [...expr.matchAll(/\b(?:by|on|without) \(([^)]*)\)/g)].flatMap((match) =>
    (match[1] as string).split(",").map((each) => each.trim()),
  );
  return { metrics, labels: [...selected, ...grouped] };
}

/** Labels of a metric as the recorded run exposed it, or as a recording rule makes it, and those that a scrape adds. */
function labelsOf(metric: string): readonly string[] | null {
  const made = rules.filter((rule) => rule.record === metric);
  if (made.length > 0) return made.flatMap((rule) => [...namesOf(rule.expr).labels, ...Object.keys(rule.labels ?? {}), "job", "instance"]);
  const exposed = recording.exposed[metric];
  return exposed === undefined ? null : [...exposed, "job", "instance"];
}

/** `{a="b",c="d"}` */
function textOf(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(",")}}`;
}

/** What a query names that no run exposes. */
function strangersIn(expr: string, legend = ""): readonly string[] {
  const { metrics, labels } = namesOf(expr);
  const known = new Set(metrics.flatMap((metric) => labelsOf(metric) ?? []));
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] as string);
  const isUp = metrics.length === 0;
  return [
    ...metrics.filter((metric) => labelsOf(metric) === null),
    ...[...labels, ...shown].filter((label) => !known.has(label) && !(isUp && label === "job")),
  ];
}

/** What is wrong with the words of a command, or null: options that it does not take, too many or too few arguments. */
function misuseOf({ name, options, arguments: taken = [] }: CommandSpec, words: readonly string[]): string | null {
  let given = 0;
  for (let at = name.split(" ").length; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      given++;
      continue;
    }
    const option = options.find(({ flags }) => flags.split(/[ ,]+/).includes(word));
    if (option === undefined) return word;
    if (option.flags.includes("<")) at++;
  }
  const needed = taken.filter((one) => one.name.startsWith("<")).length;
  const isList = taken.some((one) => one.name.includes("..."));
  return given < needed || (given > taken.length && !isList) ? `${given} arguments` : null;
}

describe("alert rules", () => {
  it("name only metrics and labels that a real run exposed", () => {
    for (const rule of rules) expect([rule.alert ?? rule.record, strangersIn(rule.expr)]).toEqual([rule.alert ?? rule.record, []]);
    expect(strangersIn("rate(sluice_record_total[5m])")).toEqual(["sluice_record_total"]);
    expect(strangersIn("sum by (datset) (sluice_records_total)")).toEqual(["datset"]);
  });

  it("say how urgent they are, and each has a page that names it", () => {
    const pages = new Map(readdirSync(runbooks).map((name) => [name, readFileSync(join(runbooks, name), "utf8")]));
    const index = pages.get("README.md") ?? "";
    const used = new Set(["README.md"]);
    for (const { alert = "", labels = {}, annotations = {} } of alerts) {
      expect(["page", "ticket"], alert).toContain(labels["severity"]);
      const [, page = ""] = /^\{\{ \$externalLabels\.runbooks \}\}\/(.+)$/.exec(annotations["runbook_url"] ?? "") ?? [];
      expect(pages.get(page), `${alert}: ${page}`).toContain(`\`${alert}\``);
      expect(index).toMatch(new RegExp(`\`${alert}\`[^\n]*\\(${page}\\)`));
      used.add(page);
    }
    expect([...pages.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  it("the pages' commands are commands, with options that they take", () => {
    const specs = new Map(commands.map((spec) => [spec.name, spec]));
    let seen = 0;
    for (const name of readdirSync(runbooks)) {
      const text = readFileSync(join(runbooks, name), "utf8");
      for (const [, line = ""] of text.matchAll(/(?:^|`)sluice ([a-z][^`#|\n]*)/gm)) {
        const words = line
          .replaceAll(/"[^"]*"/g, "TEXT")
          .trim()
          .split(/\s+/);
        const spec = specs.get(words.slice(0, 2).join(" ")) ?? specs.get(words[0] ?? "");
        expect(spec, `${name}: sluice ${line}`).toBeDefined();
        expect([`${name}: sluice ${line}`, misuseOf(spec as CommandSpec, words)]).toEqual([`${name}: sluice ${line}`, null]);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(30);
  });

  it("the pages' links lead somewhere, and their codes are of the error table", () => {
    const codes = readFileSync(join(root, "docs/reference/errors.md"), "utf8");
    for (const name of readdirSync(runbooks)) {
      const text = readFileSync(join(runbooks, name), "utf8");
      for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
        expect(() => readFileSync(resolve(runbooks, target)), `${name}: ${target}`).not.toThrow();
      for (const [, code = ""] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)) {
        if (!code.startsWith("SLUICE_")) expect(codes, `${name}: ${code}`).toContain(`\`${code}\``);
      }
    }
  });
});

describe("the dashboard", () => {
  it("asks only for metrics and labels that a real run exposed or a rule records", () => {
    const text = readFileSync(join(deploy, "grafana/dashboards/sluice.json"), "utf8");
    const { panels } = JSON.parse(text) as {
      panels: readonly { title: string; targets?: readonly { expr: string; legendFormat: string }[] }[];
    };
    const targets = panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ title: panel.title, ...target })));
    expect(targets.length).toBeGreaterThan(15);
    for (const { title, expr, legendFormat } of targets) expect([title, strangersIn(expr, legendFormat)]).toEqual([title, []]);
  });
});

describe.skipIf(!promtool.available)("promtool", () => {
  it("takes the configuration and the rules", () => {
    const { code, output } = promtool.run("check", "config", join(deploy, "prometheus/prometheus.yml"));
    expect([code, output]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  /** Series that an alert's query reads, by way of recording rules too. */
  function seriesOf(alert: string): Readonly<Record<string, string>> {
    const { expr = "" } = alerts.find((rule) => rule.alert === alert) ?? {};
    const recorded = rules.filter((rule) => rule.record !== undefined && expr.includes(rule.record));
    const names = new Set([expr, ...recorded.map((rule) => rule.expr)].flatMap((each) => namesOf(each).metrics));
    return Object.fromEntries(Object.entries(recording.series).filter(([series]) => names.has(series.split("{")[0] ?? "")));
  }

  /** What promtool says of all alerts, or of one, at some seconds of the recorded run. */
  function judge(file: string, only: string | null = null): { readonly code: number | null; readonly output: string } {
    const tests = join(folder, "tests.yaml");
    const interval = `${recording.intervalSeconds}s`;
    const chosen = expectations(recording).filter(({ alert }) => only === null || alert === only);
    const expressions = chosen.map(({ alert, atSeconds, labels, among = {} }) => ({
      expr: `count by (${["alertname", ...Object.keys(labels[0] ?? {})].join(", ")}) (ALERTS${textOf({ alertname: alert, alertstate: "firing", ...among })})`,
      eval_time: `${atSeconds}s`,
      exp_samples: labels.map((each) => ({ labels: textOf({ alertname: alert, ...each }), value: 1 })),
    }));
    const input = Object.entries(only === null ? recording.series : seriesOf(only)).map(([series, values]) => ({ series, values }));
    const document = {
      rule_files: [file],
      evaluation_interval: interval,
      tests: [{ interval, external_labels: { runbooks: "https://runbooks.example" }, input_series: input, promql_expr_test: expressions }],
    };
    writeFileSync(tests, stringify(document));
    return promtool.run("test", "rules", tests);
  }

  it("finds every alert firing when it must, and silent before and after, on the series of a real run", () => {
    const { code, output } = judge(rulesFile);
    expect([code, output]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  it("expects something of every alert", () => {
    const expected = new Set(expectations(recording).flatMap(({ alert, labels }) => (labels.length > 0 ? [alert] : [])));
    expect([...expected].sort((a, b) => (a < b ? -1 : 1))).toEqual(
      alerts.map((rule) => rule.alert as string).sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  it("finds it out where a rule is bent", () => {
    const text = readFileSync(rulesFile, "utf8");
    const bent = [
      ["SluiceBehind", "sluice_lag_time) > 300", "sluice_lag_time) > 30000"],
      ["SluiceQuarantineRate", 'outcome="quarantined"', 'outcome="skipped"'],
      ["SluiceWindowHeld", "sluice_held_windows) > 0", "sluice_held_windows) >= 0"],
      ["SluiceDrift", 'status="drift"', 'status="pass"'],
      ["SluiceDiskLow", "sluice_disk_free / sluice_disk_size) < 0.1", "sluice_disk_free / sluice_disk_size) < 0.99"],
    ] as const;
    for (const [alert, right, wrong] of bent) {
      expect(text).toContain(right);
      const file = join(folder, `${alert}.yaml`);
      writeFileSync(file, text);
      expect([alert, judge(file, alert).code]).toEqual([alert, 0]);
      writeFileSync(file, text.replace(right, wrong));
      expect([alert, judge(file, alert).code]).toEqual([alert, 1]);
    }
  });

  it("an alert says what, where, and where to read on", () => {
    const [at = 0] = expectations(recording).flatMap((each) =>
      each.alert === "SluiceBlocked" && each.labels.length > 0 ? [each.atSeconds] : [],
    );
    const interval = `${recording.intervalSeconds}s`;
    const file = join(folder, "words.yaml");
    const document = {
      rule_files: [rulesFile],
      evaluation_interval: interval,
      tests: [
        {
          interval,
          external_labels: { runbooks: "https://runbooks.example" },
          input_series: Object.entries(seriesOf("SluiceBlocked")).map(([series, values]) => ({ series, values })),
          alert_rule_test: [
            {
              eval_time: `${at}s`,
              alertname: "SluiceBlocked",
              exp_alerts: [
                {
                  exp_labels: { severity: "page", dataset: "returns", topic: "returns", partition: "all" },
                  exp_annotations: {
                    summary: "returns: partition all of returns waits for an answer",
                    description: "Nothing of it is read until a person says how to go on; Kafka's retention goes on meanwhile.",
                    runbook_url: "https://runbooks.example/blocked-partition.md",
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    writeFileSync(file, stringify(document));
    expect(promtool.run("test", "rules", file)).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") as unknown });
  });
});

describe.skipIf(!amtool.available)("amtool", () => {
  // `url_file` is known from 0.26 on: for an older one the address stands in its place.
  const file = join(folder, "alertmanager.yml");
  const text = readFileSync(join(deploy, "alertmanager/alertmanager.yml"), "utf8");
  writeFileSync(file, text.replaceAll(/url_file: \/run\/secrets\/(\w+)_url/g, "url: http://127.0.0.1:1/$1"));

  it("takes the routes", () => {
    expect(amtool.run("check-config", file)).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") as unknown });
  });

  it("sends pages to the pager and all else to tickets", () => {
    for (const { alert = "", labels = {} } of alerts) {
      const severity = labels["severity"] ?? "";
      const { output } = amtool.run("config", "routes", "test", `--config.file=${file}`, `alertname=${alert}`, `severity=${severity}`);
      expect(output.split("\n"), alert).toContain(severity === "page" ? "pager" : "tickets");
    }
  });
});

describe.skipIf(!collector.available)("the collector", () => {
  it("takes its configuration", () => {
    const { code, output } = collector.run("validate", "--config", join(deploy, "otel-collector/config.yaml"));
    expect([code, output]).toEqual([0, expect.any(String)]);
  });
});
