// What a rule makes of one event: each test that decided, what it wants beside what the event has.

import { IconCheck, IconX } from '@tabler/icons-react';
import type { EventVerdict, SubVerdict, TestVerdict } from '../gen/vedette/v1/rule_pb';
import { visible } from '../ui/text';
import css from './rules.module.css';

export function Verdict({ of: v }: { of: EventVerdict }) {
  return (
    <div className={css.verdict}>
      {v.notes.map((n, i) => (
        <p key={i} className={css.note}>
          {visible(n)}
        </p>
      ))}
      {v.subs.map((s) => (
        <Sub key={s.sub} sub={s} />
      ))}
    </div>
  );
}

function Sub({ sub: s }: { sub: SubVerdict }) {
  return (
    <section data-matches={s.matches || undefined}>
      <h4>
        {s.matches ? <IconCheck size={14} aria-hidden="true" /> : <IconX size={14} aria-hidden="true" />}
        <span>{visible(s.title || s.sub)}</span>
        <b>{s.matches ? 'takes part' : 'takes no part'}</b>
      </h4>
      {s.tests.length > 0 && (
        <table className={css.tests} aria-label={s.matches ? 'Tests that held' : 'Tests that failed first'}>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Expected</th>
              <th scope="col">Actual</th>
            </tr>
          </thead>
          <tbody>
            {s.tests.map((t, i) => (
              <Test key={i} test={t} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Test({ test: t }: { test: TestVerdict }) {
  return (
    <tr title={visible(t.text)} data-holds={t.holds || undefined}>
      <td className="mono">{visible(t.field) || 'any field'}</td>
      <td>
        <span className="dim">{visible(t.test)}</span> <span className="mono">{visible(t.wanted.join(' | '))}</span>
      </td>
      <td>{t.lacks ? <em>the event has no such field</em> : <span className="mono">{visible(t.value)}</span>}</td>
    </tr>
  );
}

// verdictWords says it in two or three words.
export const verdictWords = (v: EventVerdict | undefined): string => (v?.matches ? 'takes part' : 'takes no part');
