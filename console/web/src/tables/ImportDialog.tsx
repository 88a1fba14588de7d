import { useQuery } from '@tanstack/react-query';
import { Button, FileButton, Group, NumberInput, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconUpload } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { lists } from '../api/clients';
import { bytes, count, plural } from '../ui/age';
import { notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Ask, durationOf, spanOf, Whose } from './Ask';
import css from './tables.module.css';
import { counted, nameOf } from './words';

// ImportDialog makes a set of a file or of what is pasted, which the host reads first.
export function ImportDialog({ opened, close, done }: { opened: boolean; close: () => void; done: () => Promise<unknown> }) {
  const [file, setFile] = useState<{ name: string; content: Uint8Array<ArrayBuffer> }>();
  const [pasted, setPasted] = useState('');
  const [name, setName] = useState('');
  useEffect(() => {
    setFile(undefined);
    setPasted('');
    setName('');
  }, [opened]);
  const content = useMemo(() => file?.content ?? new TextEncoder().encode(pasted), [file, pasted]);
  const [asked] = useDebouncedValue(content, 300);
  const check = useQuery({
    queryKey: ['check indicators', asked],
    queryKeyHashFn: () => `check indicators ${file?.name ?? ''} ${asked.length} ${pasted.slice(0, 10_000)}`,
    queryFn: ({ signal }) => lists.checkIndicators({ document: { content: asked } }, { signal }),
    enabled: opened && asked.length > 0,
    staleTime: 0,
    retry: false,
  });
  return (
    <Ask
      opened={opened}
      title="Import indicators"
      close={close}
      send={async (field) => {
        const ttl = durationOf(spanOf(field('ttl')));
        const { set, totalProblems } = await lists.putIndicators({
          name: name.trim(), tenant: Number(field('tenant')), document: { content, source: field('source').trim(), confidence: Number(field('confidence') || 0), ...(ttl ? { ttl } : {}) },
        });
        notice(`${name} has ${plural(Number(set!.indicators), 'indicator')}${totalProblems > 0n ? `; ${count(totalProblems)} things were left out` : ''}.`);
        await done();
      }}
    >
      <Group gap="sm">
        <FileButton accept=".csv,.txt,.list,.json,text/*,application/json" inputProps={{ 'aria-label': 'File with indicators' }} onChange={(f) => f && void f.arrayBuffer().then((b) => { setFile({ name: f.name, content: new Uint8Array(b) }); setName((n) => n || nameOf(f.name)); })}>
          {(props) => (
            <Button variant="default" leftSection={<IconUpload size={14} aria-hidden="true" />} {...props}>
              Open a file
            </Button>
          )}
        </FileButton>
        {file && <span className="number">{visible(file.name)}, {bytes(file.content.length)}</span>}
      </Group>
      {!file && <Textarea label="Or paste them" description="CSV with a header, a plain list, STIX 2.1 or an export of MISP" classNames={{ input: 'mono' }} autosize minRows={4} maxRows={10} value={pasted} onChange={(e) => setPasted(e.currentTarget.value)} />}
      {check.error && <ErrorBox error={check.error} doing="Read the indicators" />}
      {check.data && content.length > 0 && (
        <div className={css.preview} role="status">
          <span>
            Read as {check.data.format}: <strong>{plural(Number(check.data.indicators), 'indicator')}</strong>
            {check.data.indicators > 0n && ` (${counted(check.data.counts)})`}
          </span>
          {check.data.totalProblems > 0n && (
            <ul className={css.problems} aria-label="Left out">
              {check.data.problems.slice(0, 8).map((p) => (
                <li key={`${p.where} ${p.text}`}>
                  <b>{visible(p.where)}</b> {visible(p.text)}
                </li>
              ))}
              {check.data.totalProblems > 8n && <li>and {count(check.data.totalProblems - 8n)} more</li>}
            </ul>
          )}
        </div>
      )}
      <TextInput label="Name" description="Of the set: letters a to z, digits and hyphens" value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} />
      <Whose />
      <Group grow align="start">
        <TextInput label="Source" name="source" description="Where the file says nothing" />
        <TextInput label="Counts for" name="ttl" description="Such as 30d; empty: for good" />
        <NumberInput label="Confidence" name="confidence" min={0} max={100} description="Where the file says nothing" />
      </Group>
    </Ask>
  ); // prettier-ignore
}
