// The wizard: samples on the left, what reads them in the middle, what becomes of them on the right; then what it would
// change, and the installation.

import { Button } from '@mantine/core';
import { IconArrowLeft, IconPackage, IconWand } from '@tabler/icons-react';
import { type DragEvent, lazy, Suspense, useRef, useState } from 'react';
import { Comparing, useBacktest } from '../admission';
import { useHotkeys } from '../app/keys';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import type { EditorHandle } from '../editor/Editor';
import type { Problem } from '../gen/vedette/v1/module_pb';
import { bytes } from '../ui/age';
import { Badge } from '../ui/Badge';
import { Page, useTitle } from '../ui/Layout';
import { notice } from '../ui/notice';
import { visible } from '../ui/text';
import { Install } from './Install';
import { Results } from './Results';
import { isName, limits } from './samples';
import { Samples } from './Samples';
import { usePublished } from './usePublished';
import { useWizard, type Wizard } from './useWizard';
import css from './wizard.module.css';

const Editor = lazy(() => import('./Editor'));
const defaults = { sample: '', from: '', source: '', package: '', for: '' };
const none: readonly Problem[] = [];
const titles: Record<string, string> = { parser: 'Parser', rule: 'Rule', monitor: 'Monitor' };

export default function New() {
  useTitle('New parser');
  const [params] = useParams(defaults);
  return (
    <Page flush title="New parser">
      <Whole key={Object.values(params).join(' ')} {...params} />
    </Page>
  );
}

function Whole({ sample, from, source, package: reference, for: whose }: typeof defaults) {
  const wizard = useWizard(sample, whose === '' ? undefined : Number(whose));
  usePublished(reference, wizard);
  const [over, setOver] = useState(false);
  const [view, setView] = useState<'write' | 'compare'>('write');
  const { whyNot } = useSession();
  const comparison = useBacktest(wizard.trial, whyNot('modules.change') || whyNot('events.read') || whyNotComparable(wizard));
  const compare = () => {
    setView('compare');
    if (comparison.run.phase === 'none') comparison.start();
  };
  const comparing = view === 'compare';
  useHotkeys('New parser', [
    comparing ? { keys: 'Escape', label: 'Back to the parser', run: () => setView('write') } : { keys: 'b', label: 'Compare with what runs', run: compare },
  ]);
  const open = (file: File) => void take(wizard, file).catch((e: Error) => notice(e.message));
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    const file = e.dataTransfer.files[0];
    if (file) open(file);
  };
  return (
    <div
      className={css.wizard}
      data-over={over || undefined}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={(e) => e.currentTarget === e.target && setOver(false)}
      onDrop={drop}
    >
      <div className={css.columns} hidden={comparing}>
        <Samples wizard={wizard} from={from} source={source} open={open} />
        <Parser wizard={wizard} />
        <Results wizard={wizard} />
      </div>
      {comparing && (
        <section className={css.compare} aria-label="What it would change">
          <header>
            <h2>
              <i>4</i> What it would change
            </h2>
            <span className="mono dim">{visible(wizard.module)}</span>
            <span className={css.spring} />
            <Button variant="default" size="compact-xs" leftSection={<IconArrowLeft size={13} aria-hidden="true" />} onClick={() => setView('write')}>
              Back to the {wizard.candidate?.about.kind || 'parser'}
            </Button>
          </header>
          <Comparing comparison={comparison} />
        </section>
      )}
      <Install wizard={wizard} comparison={comparison} comparing={comparing} compare={compare} />
    </div>
  );
}

function whyNotComparable({ candidate, spec, name, preview, trial }: Wizard): string {
  if (candidate?.about.kind === 'monitor') return 'A monitor reads no records: there is nothing to compare.';
  if (candidate) return '';
  if (!spec.trim()) return 'There is no parser to compare yet.';
  if (preview.value?.problems.length) return 'The parser has mistakes.';
  return trial && isName(name) ? '' : 'It needs a name of lower-case letters, digits and dashes.';
}

// take opens a file as what its name says it is.
async function take(wizard: Wizard, file: File): Promise<void> {
  if (/\.(tar|oci)$/i.test(file.name)) return wizard.upload(new Uint8Array(await file.arrayBuffer()));
  const most = limits.samples * limits.bytes;
  const text = await file.slice(0, most).text();
  if (/\.ya?ml$/i.test(file.name)) {
    wizard.upload(undefined);
    return wizard.write(text);
  }
  wizard.paste(text);
}

function Parser({ wizard }: { wizard: Wizard }) {
  const { candidate, touched, spec, preview, samples } = wizard;
  const handle = useRef<EditorHandle>(null);
  const problems = preview.value?.problems ?? none;
  return (
    <section className={css.column} aria-label="Parser">
      <header>
        <h2>
          <i>2</i> {candidate ? titles[candidate.about.kind] ?? 'Package' : 'Parser'}
        </h2>
        {!candidate && !touched && spec && <Badge tone="accent">suggested</Badge>}
        <span className={css.spring} />
        {!candidate && touched && (
          <Button variant="default" size="compact-xs" leftSection={<IconWand size={13} aria-hidden="true" />} disabled={samples.records.length === 0} loading={wizard.suggesting} onClick={wizard.suggest}>
            Suggest again
          </Button>
        )}
      </header>
      {candidate ? (
        <Candidate wizard={wizard} />
      ) : (
        <div className={css.editor}>
          <Suspense fallback={<p className="dim">The editor is loading…</p>}>
            <Editor value={spec} onChange={wizard.write} problems={problems} handle={handle} />
          </Suspense>
        </div>
      )}
      {!candidate && problems.length > 0 && (
        <ul className={css.problems} aria-label="Mistakes">
          {problems.map((p, i) => (
            <li key={i}>
              <button type="button" onClick={() => handle.current?.goTo(p)}>
                <span className="mono number">{p.line > 0 ? `${p.line}:${p.column}` : '–'}</span>
                <span>
                  {visible(p.text)}
                  {p.hint && <small>{visible(p.hint)}</small>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Candidate({ wizard }: { wizard: Wizard }) {
  const { about, bytes: data } = wizard.candidate!;
  const { running, more, less } = wizard.update;
  return (
    <div className={css.candidate}>
      <h3>
        <IconPackage size={17} stroke={1.6} aria-hidden="true" /> {visible(about.title || about.name)}
      </h3>
      <dl>
        <dt>Module</dt>
        <dd className="mono">
          {visible(about.publisher)}/{visible(about.name)} {visible(about.version)}
        </dd>
        <dt>Now</dt>
        <dd>{running ? `${visible(running.version)} runs${running.tenant === 0 && wizard.tenant !== 0 ? ' for all organizations' : ''}` : 'not installed'}</dd>
        <dt>Kind</dt>
        <dd>{visible(about.kind)}</dd>
        <dt>Size</dt>
        <dd>{bytes(data.length)}</dd>
        <dt>Asks for</dt>
        <dd>
          {about.capabilities.length === 0 && 'nothing: it sees the records that it is given and no more'}
          {about.capabilities.map((c) => (
            <p key={c.id}>
              <span className="mono">{visible(c.id)}</span> {running && more.includes(c) && <Badge tone="warn">new in this version</Badge>}
              {c.reason && <small>{visible(c.reason)}</small>}
            </p>
          ))}
          {less.map((id) => (
            <p key={id}>
              <s className="mono">{visible(id)}</s> <Badge tone="ok">no longer</Badge>
            </p>
          ))}
        </dd>
      </dl>
      <Button variant="default" onClick={() => wizard.upload(undefined)}>
        Write a parser instead
      </Button>
    </div>
  );
}
