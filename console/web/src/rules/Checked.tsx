// What the host reads out of a document: what it means, what of it the organization's events have, its tests.

import { Skeleton } from '@mantine/core';
import type { CheckedRule } from '../gen/vedette/v1/rule_pb';
import { count, plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { Severity } from '../ui/Severity';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import { Meaning, Part } from './About';
import css from './rules.module.css';
import { troublesOf } from './health';
import type { Draft } from './useDraft';
import { languageOf } from './words';

export function Checked({ draft: { text, check } }: { draft: Draft }) {
  if (text.trim() === '') {
    return <EmptyState title="Nothing to read yet">While you write, this says what the rule looks for, which of its fields your events have, and whether its tests pass.</EmptyState>;
  }
  if (!check.value) return check.busy ? <Skeleton height={160} /> : null;
  const found = check.value.rules;
  return (
    <div className={css.stack} aria-busy={check.busy}>
      {found.map((r, i) => (
        <One key={r.rule?.id ?? i} checked={r} />
      ))}
      {found.length === 0 && check.value.problems.length > 0 && <EmptyState title="It cannot be read yet">{plural(check.value.problems.length, 'mistake')}: they stand below the text.</EmptyState>}
    </div>
  );
}

function One({ checked: { rule, meaning, fields } }: { checked: CheckedRule }) {
  if (!rule) return null;
  const troubles = troublesOf({ ...rule, enabled: true, off: '' });
  return (
    <article className={css.checked}>
      <h2>{visible(rule.name || rule.id)}</h2>
      <div className={css.line}>
        <Severity value={rule.severity} />
        <Badge>{languageOf(rule)}</Badge>
        {rule.interpreted && <Badge tone="warn">interpreted</Badge>}
        <span className="mono dim cut">{visible(rule.id)}</span>
      </div>
      {troubles.filter((t) => t.kind !== 'tests' && t.kind !== 'untested').map((t) => (
        <p key={t.kind} className={css.note} data-bad={t.kind === 'data' || undefined}>
          {visible(t.text)}
        </p>
      ))}
      <Meaning lines={meaning} />
      <Part title="Tests">
        <p className={rule.tests?.failure ? css.bad : rule.tests?.count ? css.good : 'dim'}>
          {rule.tests?.failure ? visible(rule.tests.failure) : rule.tests?.count ? `${rule.tests.count === 1 ? 'Its test passes' : `All ${rule.tests.count} tests pass`}.` : 'It has none: nothing says that it finds what it is meant to.'}
        </p>
      </Part>
      {fields.length > 0 && (
        <Part title="Fields, and what the last day’s events have of them">
          <table className={css.fields}>
            <thead>
              <tr>
                <th scope="col">Field</th>
                <th scope="col">Events</th>
                <th scope="col">Most frequent</th>
              </tr>
            </thead>
            <tbody>
              {fields.map((f) => (
                <tr key={f.name} data-none={f.count === 0n || undefined}>
                  <td className="mono">{visible(f.name)}</td>
                  <td className="number">{f.count === 0n ? 'none' : count(f.count)}</td>
                  <td className="mono cut" title={visible(f.examples.join(', '))}>{visible(f.examples.join(', '))}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Part>
      )}
    </article>
  ); // prettier-ignore
}
