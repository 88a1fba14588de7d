// What a module has written, and what the host wrote about it.

import { useQuery } from '@connectrpc/connect-query';
import { useSession } from '../app/session';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './modules.module.css';
import { Part } from './Part';
import type { Row } from './rows';

export function Log({ row }: { row: Row }) {
  const { module: m } = row;
  const { can } = useSession();
  const mine = m.tenant !== 0 || can('tenants.change');
  const { data, error, refetch } = useQuery(ModuleService.method.moduleLogs, { name: m.name, tenant: m.tenant }, { enabled: mine, refetchInterval: 5_000, retry: false });
  const lines = data?.lines ?? [];
  return (
    <Part title="Log">
      {!mine && <p className="dim">Admins see it: the records of all organizations make a shared module write.</p>}
      {error && <ErrorBox error={error} doing="Load the log" retry={() => void refetch()} />}
      {data && lines.length === 0 && <p className="dim">It has written nothing.</p>}
      {lines.length > 0 && (
        <ol className={css.log} tabIndex={0} aria-label="Log lines, newest first">
          {lines.toReversed().map((l, i) => (
            <li key={lines.length - i} data-level={l.level}>
              <Age at={millis(l.at)} short /> <b>{l.level}</b> {visible(l.text)}
            </li>
          ))}
        </ol>
      )}
    </Part>
  );
}
