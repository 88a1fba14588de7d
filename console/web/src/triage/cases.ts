// A false positive as a case of its rule: later versions of the rule that fire on its events are not installed.

import { Code, ConnectError } from '@connectrpc/connect';
import { admission } from '../api/clients';
import { failed, notice } from '../ui/notice';

// saveCase keeps the events of an incident, for its organization or for all of them, and says so.
export async function saveCase(incident: string, shared: boolean): Promise<void> {
  try {
    const { case: c } = await admission.saveCase({ incident, shared });
    if (!c) return;
    const undo = () => admission.deleteCase({ tenant: c.tenant, id: c.id }).then(() => notice('The case is removed.')).catch((e: unknown) => failed('Remove the case', e)); // prettier-ignore
    notice(`Kept as a case of ${c.module}: later versions that fire on these events are refused${shared ? ', for all organizations' : ''}.`, () => void undo());
  } catch (e) {
    if (ConnectError.from(e).code === Code.Aborted) notice('Its events are a case of the rule already.');
    else failed('Keep the events as a case', e);
  }
}
