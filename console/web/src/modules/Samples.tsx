// The left of the wizard: which records the parser is for.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, FileButton, SegmentedControl, Textarea, Tooltip } from '@mantine/core';
import { IconFileUpload, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { modules } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { ModuleService, type Shape } from '../gen/vedette/v1/module_pb';
import { count, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { failed } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './wizard.module.css';
import type { Wizard } from './useWizard';

const encoder = new TextEncoder();
const newest = 20; // records

interface Props {
  wizard: Wizard;
  // "paste" or "unparsed": what is open at first.
  from: string;
  // "listener peer" of a source whose unparsed records are wanted; empty for all.
  source: string;
  open: (file: File) => void;
}

export function Samples({ wizard, from, source, open }: Props) {
  const [view, setView] = useState(from === 'unparsed' ? 'unparsed' : 'paste');
  const { taken, take, samples } = wizard;
  return (
    <section className={css.column} aria-label="Samples">
      <header>
        <h2>
          <i>1</i> Samples
        </h2>
        <span className="dim number">{samples.records.length > 0 && plural(samples.records.length, 'record')}</span>
      </header>
      <SegmentedControl
        className={css.still}
        fullWidth
        aria-label="Where the samples are from"
        value={view}
        onChange={setView}
        data={[{ value: 'paste', label: 'Paste' }, { value: 'unparsed', label: 'Unparsed' }]}
      />
      {view === 'paste' ? <Paste wizard={wizard} open={open} /> : <Unparsed wizard={wizard} source={source} />}
      {taken && (
        <div className={css.taken}>
          <span className="cut" title={visible(taken.from)}>
            {plural(taken.records.length, 'record')} {visible(taken.from)}
          </span>
          <Tooltip label="Let go of these records">
            <ActionIcon size="sm" aria-label="Let go of these records" onClick={() => take(undefined)}>
              <IconX size={13} />
            </ActionIcon>
          </Tooltip>
        </div>
      )}
      {samples.leftOut > 0 && <p className={css.warn}>{plural(samples.leftOut, 'record')} left out: at most 200 of at most 64 KiB are tried at once.</p>}
    </section>
  );
}

function Paste({ wizard, open }: Pick<Props, 'wizard' | 'open'>) {
  const { whyNot } = useSession();
  const { all, selected } = useOrganization();
  const [busy, setBusy] = useState(false);
  const why = whyNot('events.read');
  const recent = async () => {
    const tenant = wizard.tenant || selected?.id || all[0]?.id;
    if (!tenant) return;
    setBusy(true);
    try {
      const { results } = await modules.previewModule({ tenant, from: 'recent', limit: newest });
      wizard.take({ from: 'that came last', records: results.map((r) => r.raw) });
    } catch (e) {
      failed('Take the newest records', e);
    }
    setBusy(false);
  };
  return (
    <>
      <Textarea
        className={css.paste}
        aria-label="Records, one on each line"
        placeholder={'Paste records here, one on each line.\n\nOr drop a file: samples, a parser (.yaml), or a package (.tar).'}
        value={wizard.pasted}
        onChange={(e) => wizard.paste(e.currentTarget.value)}
        spellCheck={false}
        autoFocus
      />
      <div className={css.buttons}>
        <FileButton onChange={(f) => f && open(f)}>
          {(props) => (
            <Button variant="default" leftSection={<IconFileUpload size={14} aria-hidden="true" />} {...props}>
              Open a file
            </Button>
          )}
        </FileButton>
        <Button variant="default" loading={busy} disabled={why !== ''} title={why} onClick={() => void recent()}>
          {newest} newest records
        </Button>
      </div>
    </>
  );
}

function Unparsed({ wizard, source }: Pick<Props, 'wizard' | 'source'>) {
  const { tenants, all, selected } = useOrganization();
  const { data, error, isPending, refetch } = useQuery(ModuleService.method.listUnparsed, { tenants }, { staleTime: Infinity, refetchOnMount: 'always' });
  const [last, setChosen] = useState<readonly Shape[]>([]);
  const chosen = wizard.taken ? last : [];
  if (error) return <ErrorBox error={error} doing="List unparsed records" retry={() => void refetch()} />;
  if (isPending) return <p className="dim">Looking through the last day…</p>;
  const shapes = data.shapes.filter((s) => source === '' || s.source === source);
  if (shapes.length === 0) {
    return <EmptyState title="Every record is read">{source ? `${visible(source)} has sent nothing in the last day that no parser reads.` : 'No record of the last day is without a parser.'}</EmptyState>;
  }
  // Several shapes may be one kind of record; those of another organization begin anew.
  const toggle = (s: Shape) => {
    const now = chosen.includes(s) ? chosen.filter((c) => c !== s) : [...chosen.filter((c) => c.tenant === s.tenant), s];
    setChosen(now);
    wizard.choose(s.tenant);
    const records = now.flatMap((c) => c.samples.map((e) => encoder.encode(e.raw)));
    wizard.take(records.length > 0 ? { from: now.length > 1 ? `of ${now.length} shapes` : `of ${now[0]!.source}`, records } : undefined);
  };
  return (
    <ul className={css.shapes} aria-label="Unparsed records by shape">
      {shapes.map((s, i) => {
        const frame = s.samples[0]?.fields['vedette.parser'];
        return (
          <li key={`${s.tenant} ${s.text} ${i}`}>
            <button type="button" aria-pressed={chosen.includes(s)} onClick={() => toggle(s)}>
              <strong className="number">{count(s.count)}×</strong>
              <span className={css.shape}>{visible(s.text)}</span>
              <small>
                {all.length > 1 && !selected && <OrganizationName id={s.tenant} />} {visible(s.source)}
                {frame && ` · ${visible(frame)} reads its frame only`}
              </small>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
