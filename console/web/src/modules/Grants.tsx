// What a module may do, who agreed to it, and who runs it.

import { useQuery } from '@connectrpc/connect-query';
import { Link } from '@tanstack/react-router';
import { useOrganization } from '../app/organization';
import { AdmissionService } from '../gen/vedette/v1/admission_pb';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { visible } from '../ui/text';
import css from './modules.module.css';
import { Part } from './Part';
import type { Row } from './rows';
import { runsOf } from './runs';
import { capabilityWords } from './words';

export function Grants({ row: { module: m } }: { row: Row }) {
  const { data } = useQuery(AdmissionService.method.listInstallRequests, { tenants: m.tenant ? [m.tenant] : [], all: true }, { retry: false });
  const requests = data?.requests.filter((r) => r.module === m.name && r.tenant === m.tenant && r.state !== 'rejected') ?? [];
  const waiting = requests.find((r) => r.state === 'waiting');
  const granted = requests.find((r) => r.state === 'approved');
  if (m.capabilities.length === 0 && !waiting) return null;
  return (
    <Part title="Granted">
      <ul className={css.grants}>
        {m.capabilities.map((id) => (
          <li key={id}>
            <span className="mono">{visible(id)}</span> <span className="dim">{capabilityWords([id]) !== id && capabilityWords([id])}</span>
          </li>
        ))}
        {m.capabilities.length === 0 && <li className="dim">Nothing.</li>}
      </ul>
      {granted && (
        <p className="dim">
          {visible(granted.decider)} agreed to {visible(granted.missing.join(', '))} for version {visible(granted.version)}, <Age at={millis(granted.decided)} ago />
          {granted.note && `: “${visible(granted.note)}”`}
        </p>
      )}
      {waiting && (
        <p>
          Version {visible(waiting.version)} waits: it asks for {visible(waiting.missing.join(', '))}.{' '}
          <Link to="/modules/approvals" search={{ at: String(waiting.id) } as never}>
            Request {String(waiting.id)}
          </Link>
        </p>
      )}
    </Part>
  );
}

const most = 20; // organizations that are named

export function Runs({ row: { module: m } }: { row: Row }) {
  const { all } = useOrganization();
  const { data } = useQuery(ModuleService.method.listModules, { tenants: [] }, { staleTime: 10_000 });
  if (!data || all.length < 2) return null;
  const runs = runsOf(data.modules, m.name, all.map((t) => t.id));
  const shared = runs.filter((r) => r.how === 'shared');
  const others = runs.filter((r) => r.how !== 'shared');
  return (
    <Part title="Who runs it">
      <ul className={css.grants}>
        {shared.length > 0 && (
          <li>
            {others.length === 0 ? `all ${plural(shared.length, 'organization')}` : plural(shared.length, 'organization')} <span className="dim">the shared {visible(shared[0]!.version)}</span>
          </li>
        )}
        {others.slice(0, most).map((r) => (
          <li key={r.tenant}>
            <OrganizationName id={r.tenant} /> <span className="dim">{r.how === 'off' ? 'switched off' : `its own ${visible(r.version)}`}</span>
          </li>
        ))}
        {others.length > most && <li className="dim">and {plural(others.length - most, 'more organization')}</li>}
        {runs.length === 0 && <li className="dim">Nobody.</li>}
      </ul>
    </Part>
  ); // prettier-ignore
}
