// The rules of one technique, and how far each of its sub-techniques is covered.

import { ActionIcon, Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { TechniqueCoverage } from '../gen/vedette/v1/rule_pb';
import { Severity } from '../ui/Severity';
import { visible } from '../ui/text';
import css from './attack.module.css';
import { Health } from './columns';
import { stateOf } from './coverage';
import { linkOf } from './links';
import { useRules } from './useRules';

export function TechniqueDetail({ of: t, close }: { of: TechniqueCoverage; close: () => void }) {
  const { rows } = useRules();
  const ids = new Set([...t.rules, ...t.subs.flatMap((s) => s.rules)]);
  const found = rows.filter((r) => ids.has(r.rule.id));
  const state = stateOf(t.state);
  return (
    <div className={css.detail}>
      <header>
        <h2>{visible(t.name)}</h2>
        <ActionIcon aria-label="Close the details" onClick={close}>
          <IconX size={16} />
        </ActionIcon>
      </header>
      <p>
        <span className="mono">{t.id}</span> <span className={css.state} data-state={state.value}><i aria-hidden="true">{state.sign}</i> {state.label}</span>
        <span className="dim">: {state.about}.</span>
      </p>
      {found.length > 0 && (
        <section>
          <h3>Rules</h3>
          <ul className={css.list}>
            {found.map((r) => (
              <li key={r.key}>
                <Severity value={r.severity} />
                <Link className="cut" {...linkOf(r.key)}>{visible(r.rule.name)}</Link>
                {r.rule.enabled ? <Health row={r} /> : <span className="dim">off</span>}
              </li>
            ))}
          </ul>
          <Button variant="default" renderRoot={(props) => <Link {...props} to="/rules" search={{ tech: t.id } as never} />}>
            Show them in the list
          </Button>
        </section>
      )}
      {t.subs.length > 0 && (
        <section>
          <h3>Sub-techniques</h3>
          <ul className={css.list}>
            {t.subs.map((s) => {
              const is = stateOf(s.state);
              return (
                <li key={s.id}>
                  <span className="mono dim">{s.id}</span>
                  <span className="cut">{visible(s.name)}</span>
                  <span className={css.state} data-state={is.value}><i aria-hidden="true">{is.sign}</i> {is.label}</span>
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </div>
  ); // prettier-ignore
}
