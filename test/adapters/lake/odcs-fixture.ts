import { loadContract } from "../../../src/contract/load-contract.ts";
import type { Contract } from "../../../src/core/contract.ts";

/** The contract of `orders` in its n-th version, with some settings and properties as YAML. */
export async function odcs(version: number, properties: readonly string[], settings = "{}"): Promise<Contract> {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: 5b0e3c52-9b1f-4c49-8a2e-2f1d0b6d9d10
version: ${version}.0.0
status: active
schema:
  - name: orders
    logicalType: object
    customProperties: [{ property: sluice, value: ${settings} }]
    properties:
${properties.map((property) => `      - ${property}`).join("\n")}
`;
  return (await loadContract("orders.odcs.yaml", () => Promise.resolve(text))).contract;
}

/** The settings of one property in YAML. */
export function past(value: string): string {
  return `customProperties: [{ property: sluice, value: ${value} }]`;
}
