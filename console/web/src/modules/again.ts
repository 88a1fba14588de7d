// Quarantined records tried again with the version that runs now. Nothing of it is stored.

import type { PreviewModuleRequest, PreviewModuleResponse, QuarantinedRecord } from '../gen/vedette/v1/module_pb';
import { limits, outcomeOf, type Outcome } from './samples';

export type Again = Record<Outcome, number> & {
  // Records that were left out: too many, or too large, for one trial.
  readonly leftOut: number;
};

type Preview = (request: Pick<PreviewModuleRequest, 'tenant' | 'candidate' | 'samples'>) => Promise<Pick<PreviewModuleResponse, 'results'>>;

// tryAgain counts what becomes of the newest records of a module, those of each organization by themselves.
export async function tryAgain(module: string, records: readonly QuarantinedRecord[], preview: Preview): Promise<Again> {
  const fit = records.filter((r) => r.raw.length <= limits.bytes);
  const out = { read: 0, unread: 0, failed: 0, leftOut: records.length - fit.length };
  for (const tenant of new Set(fit.map((r) => r.tenant))) {
    const all = fit.filter((r) => r.tenant === tenant);
    const samples = all.slice(0, limits.samples).map((r) => r.raw);
    out.leftOut += all.length - samples.length;
    const { results } = await preview({ tenant, candidate: { case: 'name', value: module }, samples });
    for (const r of results) out[outcomeOf(r)]++;
  }
  return out;
}
