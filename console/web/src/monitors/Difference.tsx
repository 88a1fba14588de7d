// Two versions of a text, and what is different.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, Select } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { DiffView, type Hunk, linesOf, parse } from '../diff';
import { type BlessedConfig, type ConfigVersion, type DiffConfigResponse, MonitorService } from '../gen/vedette/v1/monitor_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { clock } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Bless } from './Bless';
import { Lines } from './Configurations';
import css from './monitors.module.css';
import { Packages } from './Packages';
import { choose, type Chosen, standingOf, standingTones, standingWords } from './texts';
import { type Package, packagesOf } from './versions';

const defaults = { of: 0, device: '', name: '', to: '', from: '', view: 'sides' };

export default function Difference() {
  const [params, set] = useParams(defaults);
  const { of: tenant, device, name } = params;
  useTitle(`${device} ${name}`);
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(MonitorService.method.listConfigs, { tenants: [tenant], device, limit: 1_000 }, { enabled: tenant !== 0 });
  const versions = data?.versions.filter((v) => v.name === name) ?? [];
  const chosen = useMemo(() => choose(data?.versions ?? [], name, params.to, params.from), [data, name, params.to, params.from]);
  const blessed = data?.blessed.find((b) => b.name === name);
  const others = [...new Set(data?.versions.map((v) => v.name))].filter((n) => n !== name);
  const at = versions.findIndex((v) => chosen.to !== undefined && v.at === chosen.to.at && v.digest === chosen.to.digest);
  const go = (by: number) => {
    const next = versions[at + by];
    if (next) set({ to: next.digest });
  };
  useHotkeys('Difference', [
    { keys: 'j', label: 'Older version', run: () => go(1) },
    { keys: 'k', label: 'Newer version', run: () => go(-1) },
    { keys: 'v', label: 'Side by side, or one under the other', run: () => set({ view: params.view === 'sides' ? 'unified' : 'sides' }) },
    { keys: 'Escape', label: 'Back to the configurations', run: () => void navigate({ to: '/configurations' }) },
  ]);
  const standing = versions[0] && standingOf(versions[0], blessed);
  const tone = standing && standingTones[standing];
  return (
    <Page
      flush
      title={<>{visible(device)} <span className="dim">{visible(name)}</span></>}
      actions={
        <>
          {tone && <Badge tone={tone} title={`The newest version, against what ${blessed ? visible(blessed.who) : 'nobody'} has declared right`}>{standingWords[standing]}</Badge>}
          {tenant !== 0 && <OrganizationName id={tenant} />}
          <Spring />
          {others.length > 0 && <Select aria-label="Text of the device" data={[name, ...others]} value={name} allowDeselect={false} onChange={(v) => v && set({ name: v, to: '', from: '' }, { push: true })} w={150} />}
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/configurations" />}>
            Configurations
          </Button>
        </>
      }
    >
      {error && <div className={css.error}><ErrorBox error={error} doing="Load the versions" retry={() => void refetch()} /></div>}
      {!error && !isPending && versions.length === 0 && <EmptyState title="Nothing of that name was pulled from the device">It may have been let go of: of each text the last 200 versions are kept.</EmptyState>}
      {versions.length > 0 && (
        <div className={css.difference}>
          <Versions versions={versions} blessed={blessed} at={at} choose={(v) => set({ to: v.digest })} />
          <Stage tenant={tenant} chosen={chosen} blessed={blessed} others={others} params={params} set={set} changed={() => void refetch()} />
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

interface VersionsProps {
  versions: readonly ConfigVersion[];
  blessed: BlessedConfig | undefined;
  at: number;
  choose: (v: ConfigVersion) => void;
}

function Versions({ versions, blessed, at, choose: pick }: VersionsProps) {
  return (
    <ol className={css.versions} aria-label="Versions, the newest first">
      {versions.map((v, i) => (
        <li key={`${v.digest} ${millis(v.at)}`} data-on={i === at || undefined}>
          <button type="button" aria-current={i === at || undefined} onClick={() => pick(v)}>
            <span>
              {clock(millis(v.at))} {blessed?.digest === v.digest && <Badge tone="ok">right</Badge>}
            </span>
            <small>
              <Lines added={v.added} removed={v.removed} />
              <span className="mono">{v.digest.replace('sha256:', '').slice(0, 10)}</span>
              {i === 0 && 'newest'}
            </small>
          </button>
        </li>
      ))}
    </ol>
  );
}

interface StageProps {
  tenant: number;
  chosen: Chosen;
  blessed: BlessedConfig | undefined;
  others: readonly string[];
  params: typeof defaults;
  set: (patch: Partial<typeof defaults>) => void;
  changed: () => void;
}

function Stage({ tenant, chosen, blessed, others, params, set, changed }: StageProps) {
  const { whyNot } = useSession();
  const why = whyNot('monitors.change');
  const { device, name } = params;
  const nothing = params.from === '' && !chosen.before;
  const ask = { tenant, device, name, from: chosen.from, to: chosen.to?.digest ?? '', fromName: chosen.fromName };
  const { data, error, isFetching, refetch } = useQuery(MonitorService.method.diffConfig, ask, { enabled: why === '' && !nothing && chosen.to !== undefined, staleTime: Infinity, retry: false });
  // The whole text opens folds; of a text without a version before it is all that there is to show.
  const text = useQuery(MonitorService.method.getConfig, { tenant, device, name, digest: chosen.to?.digest ?? '' }, { enabled: why === '' && chosen.to !== undefined, staleTime: Infinity });
  const lines = useMemo(() => (text.data ? linesOf(new TextDecoder().decode(text.data.text)) : undefined), [text.data]);
  const hunks = useMemo(() => (data && !nothing ? parse(new TextDecoder().decode(data.diff)) : []), [data, nothing]);
  const packages = useMemo(() => packagesOf(hunks), [hunks]);
  const view = params.view === 'packages' && !packages ? 'sides' : params.view;
  const against = params.from === '' ? 'before' : chosen.fromName !== '' ? `@${chosen.fromName}` : params.from;
  const options = [
    { value: 'before', label: 'the version before' },
    ...(blessed ? [{ value: 'blessed', label: 'what was declared right' }] : []),
    ...others.map((n) => ({ value: `@${n}`, label: `the newest ${n}` })),
    ...(against.startsWith('sha256:') ? [{ value: against, label: `version ${against.slice(7, 17)}` }] : []),
  ];
  return (
    <div className={css.stage}>
      <div className={css.against}>
        <Select aria-label="Compared with" size="xs" w={220} data={options} value={against} allowDeselect={false} onChange={(v) => v && set({ from: v === 'before' ? '' : v })} />
        {data && !nothing && <Lines added={data.added} removed={data.removed} />}
        {hunks.length > 0 && (
          <SegmentedControl
            aria-label="How it is shown"
            value={view}
            onChange={(v) => set({ view: v })}
            data={[{ value: 'sides', label: 'Side by side' }, { value: 'unified', label: 'Unified' }, ...(packages ? [{ value: 'packages', label: 'Packages' }] : [])]}
          />
        )}
        {blessed && (
          <p className="dim">
            Declared right by {visible(blessed.who)}, <Age at={millis(blessed.at)} ago />
          </p>
        )}
        {chosen.to && <Bless tenant={tenant} version={chosen.to} blessed={blessed} done={changed} />}
      </div>
      {why ? (
        <EmptyState title={why}>Texts of devices hold hashes of passwords. You see when they changed, and by how much.</EmptyState>
      ) : error ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Compare" retry={() => void refetch()} />
        </div>
      ) : (
        <Shown data={nothing ? undefined : data} nothing={nothing} busy={isFetching} hunks={hunks} lines={lines} packages={packages} view={view} />
      )}
    </div>
  ); // prettier-ignore
}

interface ShownProps {
  data: DiffConfigResponse | undefined;
  // There is no version before.
  nothing: boolean;
  busy: boolean;
  hunks: readonly Hunk[];
  lines: readonly string[] | undefined;
  packages: readonly Package[] | undefined;
  view: string;
}

const allOpen: ReadonlySet<string> = new Set(['1']);

function Shown({ data, nothing, busy, hunks, lines, packages, view }: ShownProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setOpen(new Set()), [data]);
  if (!data && !nothing) return busy ? <p className={css.error} role="status">The host compares them…</p> : null; // prettier-ignore
  if (nothing && !lines) return null;
  const said = nothing ? 'This is the first version that was kept.' : hunks.length === 0 ? 'Both are the same.' : data?.cut ? 'The difference is longer than 1 MiB: its beginning is shown.' : '';
  return (
    <>
      {said && (
        <div className={css.bar}>
          <p className="dim">{said}</p>
        </div>
      )}
      {view === 'packages' && packages ? (
        <Packages list={packages} />
      ) : (
        <DiffView hunks={hunks} text={data?.cut ? undefined : lines} open={nothing || hunks.length === 0 ? allOpen : open} toggle={(key) => setOpen((o) => new Set([...o, key]))} sides={hunks.length > 0 && view !== 'unified'} />
      )}
    </>
  ); // prettier-ignore
}
