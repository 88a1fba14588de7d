// The right of the wizard: what becomes of each sample.

import { Button } from '@mantine/core';
import { memo, useMemo, useState } from 'react';
import { huesOf, listOf, matesOf, RawRecord, type Span } from '../event';
import type { PreviewEvent, PreviewResult } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { clock, plural } from '../ui/age';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { outcomeOf } from './samples';
import type { Wizard } from './useWizard';
import css from './wizard.module.css';
import { amount } from './words';

const first = 12; // results that are drawn at once
const longest = 300; // characters of a value

export function Results({ wizard }: { wizard: Wizard }) {
  const { preview, samples, candidate, spec, permitted } = wizard;
  const [all, setAll] = useState(false);
  const results = preview.value?.results ?? [];
  const read = results.filter((r) => outcomeOf(r) === 'read').length;
  return (
    <section className={css.column} aria-label="Result">
      <header>
        <h2>
          <i>3</i> Result
        </h2>
        {results.length > 0 && (
          <span className="number">
            <strong role="status" className={read === results.length ? css.good : css.part}>
              {read} of {plural(results.length, 'record')} read
            </strong>
            <span className="dim">
              {' '}
              · {preview.value!.milliseconds.toFixed(1)} ms · {amount(Number(preview.value!.fuel) / results.length)} fuel each
            </span>
          </span>
        )}
      </header>
      {preview.error !== undefined && <ErrorBox error={preview.error} doing="Try the parser" />}
      {candidate && candidate.about.kind !== 'parser' && (
        <EmptyState title={`A ${visible(candidate.about.kind)} reads no samples`}>{candidate.about.kind === 'rule' ? 'What it would change shows the incidents that it would raise, and those that it would not.' : 'It asks devices by itself once it runs.'}</EmptyState>
      )}
      {samples.records.length === 0 && candidate?.about.kind !== 'rule' && candidate?.about.kind !== 'monitor' && (
        <EmptyState title="Fields appear here">Paste a record. A parser for it is suggested at once, and what it reads is shown while you type.</EmptyState>
      )}
      {!permitted && samples.records.length > 0 && <EmptyState title="Trying parsers takes the right to install them">Ask an admin for the role of an analyst.</EmptyState>}
      {permitted && samples.records.length > 0 && !spec.trim() && !candidate && <EmptyState title="Nothing reads the samples yet">Write a parser, or take the suggestion.</EmptyState>}
      {(preview.value?.problems.length ?? 0) > 0 && <EmptyState title="The parser cannot run yet">It has {plural(preview.value!.problems.length, 'mistake')}; each is marked in the text.</EmptyState>}
      <ol className={css.results}>
        {results.slice(0, all ? undefined : first).map((r, i) => (
          <Result key={i} result={r} today={wizard.today.value?.results[i]?.parser} />
        ))}
      </ol>
      {!all && results.length > first && (
        <Button variant="default" onClick={() => setAll(true)}>
          Show all {results.length}
        </Button>
      )}
    </section>
  );
}

const words = { read: 'Read', unread: 'Not mine', failed: 'Failed' } as const;

const Result = memo(function Result({ result, today }: { result: PreviewResult; today: string | undefined }) {
  const outcome = outcomeOf(result);
  const [event, ...more] = result.events;
  const [lit, setLit] = useState<string>();
  const spans = useMemo((): readonly Span[] => event?.spans ?? [], [event]);
  const fields = event ? Object.keys(event.event?.fields ?? {}).length : 0;
  return (
    <li className={css.result} data-outcome={outcome}>
      <p>
        <strong>{words[outcome]}</strong>
        <span className="dim">
          {outcome === 'read' && plural(fields, 'field')}
          {more.length > 0 && `, and ${plural(more.length, 'more event')}`}
          {outcome === 'failed' && visible(result.error)}
          {outcome === 'unread' && today !== undefined && (today ? `today ${visible(today)} reads it` : 'read by nobody')}
          {outcome === 'read' && today && ` · today ${visible(today)} reads it`}
        </span>
      </p>
      <RawRecord raw={result.raw} spans={spans} lit={lit} onLit={setLit} label="Sample" />
      {event && <Fields event={event} spans={spans} lit={lit} onLit={setLit} />}
    </li>
  );
});

interface FieldsProps {
  event: PreviewEvent;
  spans: readonly Span[];
  lit: string | undefined;
  onLit: (field: string | undefined) => void;
}

// Fields stand in the order of their bytes; what no bytes stand for comes last.
function Fields({ event, spans, lit, onLit }: FieldsProps) {
  const hues = useMemo(() => huesOf(spans), [spans]);
  const mates = useMemo(() => matesOf(spans, lit), [spans, lit]);
  const fields = useMemo(() => {
    const place = new Map(spans.toReversed().map((s) => [s.field, s.start]));
    return Object.entries(event.event?.fields ?? {}).sort(([a], [b]) => (place.get(a) ?? Infinity) - (place.get(b) ?? Infinity) || (a < b ? -1 : 1));
  }, [event, spans]);
  const at = millis(event.event?.time);
  return (
    <dl className={css.fields} onMouseLeave={() => onLit(undefined)}>
      {at > 0 && (
        <div>
          <dt>@timestamp</dt>
          <dd>{clock(at)}</dd>
        </div>
      )}
      {fields.map(([name, value]) => {
        const hue = hues.get(name);
        return (
          <div
            key={name}
            data-lit={mates.has(name) || undefined}
            data-owned={hue === undefined ? undefined : ''}
            style={hue === undefined ? undefined : ({ '--hue': `var(--org-${hue})` } as object)}
            onMouseEnter={() => onLit(name)}
          >
            <dt>{visible(name)}</dt>
            <dd>{visible((listOf(value)?.join(', ') ?? value).slice(0, longest))}</dd>
          </div>
        );
      })}
    </dl>
  );
}
