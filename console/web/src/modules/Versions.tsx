// The versions of a module: the one that runs, and those that can run in its place.

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { modules } from '../api/clients';
import { useSession } from '../app/session';
import { ModuleService, type ModuleVersion } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { failed, notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './modules.module.css';
import type { Row } from './rows';
import { shortDigest } from './words';

interface Props {
  row: Row;
  whyNot: string;
  changed: () => void;
}

export function Versions({ row, whyNot, changed }: Props) {
  const { module: m } = row;
  const { can } = useSession();
  const [busy, setBusy] = useState<bigint>();
  const which = { name: m.name, tenant: m.tenant };
  const { data, error, refetch } = useQuery(ModuleService.method.listModuleVersions, which, { staleTime: 0, retry: false });
  // Whoever swaps it gives it another generation.
  useEffect(() => void refetch(), [refetch, m.generation]);
  const why = whyNot || (m.tenant === 0 && !can('tenants.change') ? 'It is shared: only an admin rolls it back.' : '');
  const back = async (to: ModuleVersion) => {
    setBusy(to.generation);
    try {
      await modules.rollbackModule({ ...which, generation: to.generation });
      notice(to.shared ? `The shared ${m.name} ${to.version} runs again.` : `${m.name} ${to.version} runs again.`);
    } catch (e) {
      failed(`Roll back ${m.name}`, e);
    }
    setBusy(undefined);
    changed();
  };
  if (error) return <ErrorBox error={error} doing="List the versions" retry={() => void refetch()} />;
  return (
    <ol className={css.versions} aria-label="Versions, the newest first">
      {data?.versions.map((v) => (
        <Version key={String(v.generation)} version={v} action={actionOf(v, m.version)} busy={busy === v.generation} why={why || (busy === undefined ? '' : 'Another version is being swapped in.')} back={() => void back(v)} />
      ))}
      {data?.versions.length === 1 && <li className="dim">There is no earlier one to go back to.</li>}
    </ol>
  );
}

const actionOf = (v: ModuleVersion, running: string): string =>
  v.shared ? 'Use the shared version' : v.version.localeCompare(running, 'en', { numeric: true }) > 0 ? 'Run this version again' : 'Roll back to this version';

interface VersionProps {
  version: ModuleVersion;
  action: string;
  busy: boolean;
  // Why nobody can go back to it; empty when they can.
  why: string;
  back: () => void;
}

function Version({ version: v, action, busy, why, back }: VersionProps) {
  const name = visible(v.version) || shortDigest(v.digest);
  const hint = v.shared ? 'What all organizations share runs for this one too; its own versions are let go of' : 'It runs from the next record on; the others stay in this list';
  return (
    <li data-running={v.running || undefined}>
      <strong className="number">{name}</strong>
      <span className="mono dim" title={v.digest}>{shortDigest(v.digest)}</span>
      {v.running ? (
        <b>running</b>
      ) : (
        <Button variant="default" size="compact-xs" leftSection={<IconArrowBackUp size={13} aria-hidden="true" />} loading={busy} disabled={why !== ''} title={why || hint} onClick={back} aria-label={`${action}, ${name}`}>
          {action}
        </Button>
      )}
      <small className="dim">
        {v.shared && 'shared by all · '}
        {v.running ? 'since ' : 'activated '}
        <Age at={millis(v.activatedAt)} ago />
        {v.activatedBy && ` by ${visible(v.activatedBy)}`} · generation {String(v.generation)}
      </small>
    </li>
  ); // prettier-ignore
}
