// The page of one module.

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { IconArrowLeft, IconPlus } from '@tabler/icons-react';
import { Link, useNavigate, useParams as usePath } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { ModuleService } from '../gen/vedette/v1/module_pb';
import { Badge } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Did, What } from './Detail';
import css from './modules.module.css';
import { type Row, select } from './rows';
import { useSwitch } from './useSwitch';

const defaults = { for: '' };
const refresh = 3_000; // ms

export default function Module() {
  const { publisher = '', name = '' } = usePath({ strict: false }) as { publisher?: string; name?: string };
  const full = `${publisher}/${name}`;
  useTitle(full);
  const [params] = useParams(defaults);
  const { tenants, selected } = useOrganization();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(ModuleService.method.listModules, { tenants }, { refetchInterval: refresh });
  const row = useMemo(() => rowOf(select(data?.modules ?? [], { kind: '', text: full, tenant: selected?.id }), full, Number(params.for)), [data, full, params.for, selected]);
  const { why, switchTo } = useSwitch(refetch);
  const back = () => void navigate({ to: '/modules' });
  useHotkeys('Module', [{ keys: 'Escape', label: 'Back to the modules', run: back }]);
  const toList = (
    <Button variant="default" size="compact-xs" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules" />}>
      Modules
    </Button>
  );
  if (error && !data) return <Page title={visible(full)}><ErrorBox error={error} doing="Load the module" retry={() => void refetch()} /></Page>; // prettier-ignore
  if (isPending) return <Page title={visible(full)}>{null}</Page>;
  if (!row) {
    return (
      <Page title={visible(full)}>
        <EmptyState title="There is no such module here" actions={toList}>
          Nothing of that name runs for the organizations that you look at.
        </EmptyState>
      </Page>
    );
  }
  const { module: m } = row;
  const parts = { row, whyNot: why(row), switchTo: (on: boolean) => void switchTo(row, on), changed: () => void refetch() };
  return (
    <Page
      title={visible(m.title || m.name)}
      actions={
        <>
          <span className="mono dim">{visible(m.name)}</span>
          <Badge>{m.kind || 'module'}</Badge>
          {!m.enabled && <Badge tone="warn">off</Badge>}
          <Spring />
          {toList}
          <Button variant="default" size="compact-xs" leftSection={<IconPlus size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/modules/new" />}>
            Install another version
          </Button>
        </>
      }
    >
      <div className={css.whole}>
        <div className={css.stack}>
          <What {...parts} />
        </div>
        <div className={css.stack}>
          <Did {...parts} />
        </div>
      </div>
    </Page>
  );
}

// rowOf is the organization's own when there is one, else the shared one.
const rowOf = (rows: readonly Row[], name: string, tenant: number): Row | undefined => {
  const named = rows.filter((r) => r.module.name === name);
  return named.find((r) => r.module.tenant === tenant) ?? named[0];
};
