// Every change of the incident, as it stands in the log.

import { millis } from '../live/row';
import { clock } from '../ui/age';
import { visible } from '../ui/text';
import css from './incident.module.css';
import { IncidentLink } from './IncidentLink';
import { deed } from './timeline';
import type { ViewProps } from './useIncidentPage';

export function History({ loaded: { data } }: ViewProps) {
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th style={{ width: 190 }}>Time</th>
          <th style={{ width: 140 }}>Who</th>
          <th>What</th>
          <th style={{ width: 120 }}>Log position</th>
        </tr>
      </thead>
      <tbody>
        {data.history.map((h) => (
          <tr key={`${h.seq} ${h.what}`}>
            <td className="number">{clock(millis(h.at))}</td>
            <td>{visible(h.who)}</td>
            <td className={css.wrap}>
              {visible(deed(h.what, h.detail))}
              {h.what === 'commented' && <>: {visible(h.detail)}</>} {h.what === 'merged' && <IncidentLink id={h.detail} />}
            </td>
            <td className="number dim">{String(h.seq)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
