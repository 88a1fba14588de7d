// A table, or another version of it, from a file or from what is pasted: read by the host first, with what is wrong by line.

import { useQuery } from '@tanstack/react-query';
import { Button, FileButton, Group, Select, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowLeft, IconUpload } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import { tables } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { bytes, count, plural } from '../ui/age';
import { Page, Spring, useTitle } from '../ui/Layout';
import { notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './tables.module.css';
import { Preview } from './Preview';
import { formatOf, formats, kindOf, kinds, nameOf, rowsOf } from './words';

const defaults = { of: -1, name: '', kind: '' };
const mostPasted = 1 << 20; // characters that are shown to be edited
const all = '0';

export default function Upload() {
  useTitle('Add a table');
  const [params] = useParams(defaults);
  const organization = useOrganization();
  const { can, whyNot } = useSession();
  const navigate = useNavigate();
  const [whose, setWhose] = useState<string>();
  const first = organization.selected?.id ?? organization.all[0]?.id; // unknown until the organizations are
  const tenant = params.of >= 0 ? String(params.of) : (whose ?? (first === undefined ? '' : String(first)));
  const [name, setName] = useState(params.name);
  const [kind, setKind] = useState(params.kind);
  const [format, setFormat] = useState('');
  const [file, setFile] = useState<{ name: string; content: Uint8Array<ArrayBuffer> }>();
  const [pasted, setPasted] = useState('');
  const reset = useRef<() => void>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const content = useMemo(() => file?.content ?? new TextEncoder().encode(pasted), [file, pasted]);
  const beginning = useMemo(() => new TextDecoder().decode(content.subarray(0, 4_096)), [content]);
  const written = format || formatOf(file?.name ?? '', beginning);
  const compared = kind || kindOf(keysOf(beginning, written));
  const [asked] = useDebouncedValue({ content, written, compared }, 300);
  const why = whyNot('modules.change');
  const check = useQuery({
    queryKey: ['check table', asked],
    queryKeyHashFn: () => `check table ${asked.written} ${asked.compared} ${file?.name ?? ''} ${asked.content.length} ${pasted.slice(0, 10_000)}`,
    queryFn: ({ signal }) => tables.checkTable({ kind: asked.compared, format: asked.written, content: asked.content }, { signal }),
    enabled: asked.content.length > 0 && why === '',
    staleTime: 0,
    retry: false,
  });
  const open = async (f: File) => {
    setFile({ name: f.name, content: new Uint8Array(await f.arrayBuffer()) });
    if (!name) setName(nameOf(f.name));
    reset.current?.(); // or the same file, mended, could not be opened again
  };
  const back = () => void navigate({ to: '/tables' });
  useHotkeys('Table', [{ keys: 'Escape', label: 'Back to the tables', run: back }]);
  const put = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { table, doubles } = await tables.putTable({ name, tenant: Number(tenant), kind: compared, format: written, content });
      notice(`${name} has ${plural(Number(table!.rows), 'row')}${doubles > 0n ? `, of which ${count(doubles)} have the key of an earlier one` : ''}.`);
      void navigate(rowsOf({ tenant: Number(tenant), name }));
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  const wrong = (check.data?.totalProblems ?? 0n) > 0n;
  const not = why || (content.length === 0 ? 'Choose a file or paste rows.' : name === '' ? 'Give it a name.' : tenant === '' ? 'Choose whose it is.' : wrong ? 'Mend what is wrong first.' : '');
  return (
    <Page
      title={params.name ? `Another version of ${visible(params.name)}` : 'Add a table'}
      actions={
        <>
          <Spring />
          <Button variant="default" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/tables" />}>
            Tables
          </Button>
        </>
      }
    >
      {why ? (
        <EmptyState title={why}>Ask an analyst or an admin.</EmptyState>
      ) : (
        <div className={css.upload}>
          <div className={css.form}>
            <Group gap="sm">
              <FileButton accept=".csv,.txt,.list,.json,.jsonl,.ndjson,text/*" inputProps={{ 'aria-label': 'File with the table' }} resetRef={reset} onChange={(f) => f && void open(f)}>
                {(props) => (
                  <Button variant="default" leftSection={<IconUpload size={14} aria-hidden="true" />} {...props}>
                    Open a file
                  </Button>
                )}
              </FileButton>
              {file && (
                <>
                  <span className="number">
                    {visible(file.name)}, {bytes(file.content.length)}
                  </span>
                  <Button variant="subtle" size="compact-xs" onClick={() => setFile(undefined)}>
                    Let go of it
                  </Button>
                </>
              )}
            </Group>
            {!file && <Textarea label="Or paste rows" classNames={{ input: 'mono' }} autosize minRows={6} maxRows={14} maxLength={mostPasted} placeholder={'ip,owner\n10.0.0.0/8,office'} value={pasted} onChange={(e) => setPasted(e.currentTarget.value)} />}
            <TextInput label="Name" description="Letters a to z, digits and hyphens: modules call it by this" value={name} disabled={params.name !== ''} onChange={(e) => setName(e.currentTarget.value)} />
            <Select
              label="For"
              disabled={params.of >= 0}
              data={[...organization.all.map((t) => ({ value: String(t.id), label: t.name || t.slug })), ...(can('global.change') ? [{ value: all, label: 'All organizations' }] : [])]}
              value={tenant || null}
              allowDeselect={false}
              onChange={(v) => v && setWhose(v)}
            />
            <Select label="Written as" data={formats.map(({ value, label }) => ({ value, label }))} value={written} allowDeselect={false} onChange={(v) => v && setFormat(v)} />
            <Select label="Keys are compared" description={kinds.find((k) => k.value === compared)?.about} data={kinds.map(({ value, label }) => ({ value, label }))} value={compared} allowDeselect={false} onChange={(v) => v && setKind(v)} />
            {error !== undefined && <ErrorBox error={error} doing="Keep the table" />}
            <Group gap="sm">
              <Button loading={busy} disabled={not !== ''} title={not} onClick={() => void put()}>
                {params.name ? 'Make it the version in force' : 'Keep the table'}
              </Button>
              {not && content.length > 0 && <span className="dim">{not}</span>}
            </Group>
          </div>
          <section aria-label="What the host reads">
            {check.error && <ErrorBox error={check.error} doing="Read the table" retry={() => void check.refetch()} />}
            {check.data && content.length > 0 && <Preview checked={check.data} />}
            {content.length === 0 && <EmptyState title="Nothing to read yet">The first column is the key. What the host makes of the rows is shown here before anything changes.</EmptyState>}
          </section>
        </div>
      )}
    </Page>
  ); // prettier-ignore
}

// keysOf returns the first keys of an upload, to guess how they are compared.
function keysOf(text: string, format: string): string[] {
  const lines = text.split('\n').slice(0, 40).map((l) => l.trim()).filter((l) => l !== '' && !l.startsWith('#')); // prettier-ignore
  if (format === 'jsonl') return lines.flatMap((l) => /^\{\s*"[^"]*"\s*:\s*"([^"]*)"/.exec(l)?.[1] ?? []);
  const keys = lines.map((l) => l.split(',')[0]!.replace(/^"|"$/g, '')).slice(format === 'csv' ? 1 : 0); // prettier-ignore
  return text.length > 4_000 ? keys.slice(0, -1) : keys;
}
