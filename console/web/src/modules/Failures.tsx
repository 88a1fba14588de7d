// Records on which a module failed, and whether it still does.

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { modules } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count, plural } from '../ui/age';
import { failed } from '../ui/notice';
import { visible } from '../ui/text';
import { type Again, tryAgain } from './again';
import css from './modules.module.css';
import { Part } from './Part';
import type { Row } from './rows';
import { codeWords, headOf } from './words';

const shown = 5;

export function Failures({ row: { module: m } }: { row: Row }) {
  const { tenants } = useOrganization();
  const { can } = useSession();
  const [busy, setBusy] = useState(false);
  const [again, setAgain] = useState<Again>();
  const { data } = useQuery(ModuleService.method.listQuarantine, { tenants, limit: 1_000 }, { enabled: can('modules.change'), staleTime: 10_000 });
  const held = data?.records.filter((r) => r.module === m.name && (m.tenant === 0 || r.tenant === m.tenant)) ?? [];
  if (held.length === 0) return null;
  const run = async () => {
    setBusy(true);
    try {
      setAgain(await tryAgain(m.name, held, (request) => modules.previewModule(request)));
    } catch (e) {
      failed(`Try the records of ${m.name} again`, e);
    }
    setBusy(false);
  };
  return (
    <Part title={`Quarantine ${count(held.length)}`}>
      <ul className={css.held}>
        {held.slice(0, shown).map((r) => (
          <li key={String(r.number)}>
            <Link to="/modules/quarantine" search={{ at: String(r.number) } as never}>
              {codeWords(r.code)}
            </Link>{' '}
            <span className="dim">
              <Age at={millis(r.at)} ago short /> · {visible(headOf(r.detail))}
            </span>
          </li>
        ))}
      </ul>
      <div className={css.row}>
        {m.kind === 'parser' && (
          <Button variant="default" size="compact-xs" leftSection={<IconRefresh size={13} aria-hidden="true" />} loading={busy} onClick={() => void run()}>
            Try {held.length === 1 ? 'it' : 'all'} again with the current version
          </Button>
        )}
        {held.length > shown && (
          <Link to="/modules/quarantine" search={{ module: m.name } as never}>
            All {count(held.length)}
          </Link>
        )}
      </div>
      {again && (
        <p role="status" className={again.failed > 0 ? css.still : css.mended}>
          {outcome(again)} <span className="dim">Nothing was stored.</span>
        </p>
      )}
    </Part>
  );
}

function outcome({ read, unread, failed: still, leftOut }: Again): string {
  const parts = [read > 0 && `${count(read)} read now`, still > 0 && `${count(still)} still failing`, unread > 0 && `${count(unread)} not its own`, leftOut > 0 && `${count(leftOut)} not tried`].filter(Boolean);
  return `${plural(read + unread + still + leftOut, 'record')}: ${parts.join(', ')}.`;
}
