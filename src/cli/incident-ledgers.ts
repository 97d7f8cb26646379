import { DocumentError } from "../core/errors.ts";
import type { Contract } from "../core/contract.ts";
import type { IncidentNotice, IncidentPlan } from "../core/incident.ts";
import { incidentPlanDefault } from "../core/incident.ts";
import type { Lake } from "../core/ports.ts";
import { IncidentLedger } from "../gate/incident-ledger.ts";
import { contractReader } from "./contract-reader.ts";

/** Opens datasets' incident ledgers; `own` are contracts that are compiled already. */
export function incidentLedgers(
  lake: Lake,
  datasets: readonly string[],
  own: readonly Contract[],
  onNotice: (notice: IncidentNotice) => void,
): ReadonlyMap<string, IncidentLedger> {
  const contractOf = contractReader(own);
  const plans = new Map<string, Promise<IncidentPlan>>();
  const compile = async (hash: string, dataset: string): Promise<IncidentPlan> => {
    try {
      return (await contractOf({ hash, text: await lake.contractText(hash) }, dataset)).incidents ?? incidentPlanDefault;
    } catch (fault) {
      // An old contract that this version reads no more: what it said of incidents is over.
      if (fault instanceof DocumentError) return incidentPlanDefault;
      throw fault;
    }
  };
  const planOf = (hash: string, dataset: string): Promise<IncidentPlan> => {
    const key = `${hash} ${dataset}`;
    const found = plans.get(key) ?? compile(hash, dataset);
    plans.set(key, found);
    // A fault that passes is not kept.
    found.catch(() => plans.delete(key));
    return found;
  };
  return new Map(
    datasets.map((dataset) => [
      dataset,
      new IncidentLedger({ lake, dataset, planOf: (hash) => planOf(hash, dataset), now: () => Date.now(), onNotice }),
    ]),
  );
}
