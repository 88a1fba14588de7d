// Incidents that there would be.

import type { RunIncident } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { clock, count } from '../ui/age';
import { Severity } from '../ui/Severity';
import { visible } from '../ui/text';
import css from './editor.module.css';

const shown = 50;

export function Incidents({ list }: { list: readonly RunIncident[] }) {
  if (list.length === 0) return null;
  return (
    <ul className={css.incidents} aria-label="Incidents that would be raised">
      {list.slice(0, shown).map((i, n) => (
        <li key={n}>
          <Severity value={i.severity} />
          <span className="cut" title={visible(i.title)}>{visible(i.title)}</span>
          <span className="number dim" title={`${clock(millis(i.first))} to ${clock(millis(i.last))}`}>{count(i.count)}×</span>
          {i.conditions.map((c, j) => (
            <small key={j} className="dim number">
              {visible(c.expr)}: {visible(c.actual)} / {visible(c.threshold)}
            </small>
          ))}
        </li>
      ))}
      {list.length > shown && <li className="dim">and {count(list.length - shown)} more</li>}
    </ul>
  ); // prettier-ignore
}
