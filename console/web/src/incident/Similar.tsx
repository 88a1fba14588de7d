// Incidents that have to do with the same hosts, users, addresses or hashes.

import { Link } from '@tanstack/react-router';
import type { RelatedIncident } from '../gen/vedette/v1/incident_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Severity } from '../ui/Severity';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { keyOf, kindTitles } from './entities';
import css from './incident.module.css';
import type { ViewProps } from './useIncidentPage';

export function Similar({ page }: ViewProps) {
  if (page.relatedError) return <ErrorBox error={page.relatedError} doing="Look for similar incidents" />;
  return <RelatedTable related={page.related} empty="No other incident shares a host, user, address or hash with this one." />;
}

export function RelatedTable({ related, empty }: { related: readonly RelatedIncident[]; empty: string }) {
  if (related.length === 0) return <EmptyState title="None">{empty}</EmptyState>;
  return (
    <table className={css.table}>
      <thead>
        <tr>
          <th style={{ width: 96 }}>Severity</th>
          <th>Incident</th>
          <th style={{ width: '32%' }}>Shares</th>
          <th style={{ width: 150 }}>Organization</th>
          <th style={{ width: 80 }}>Last seen</th>
        </tr>
      </thead>
      <tbody>
        {related.map(({ incident: i, shared, sameRule }) => i && (
          <tr key={i.id}>
            <td>
              <Severity value={i.severity} />
            </td>
            <td>
              <div className={css.related}>
                <Link to="/incidents/$id" params={{ id: i.id } as never} className="cut" title={visible(i.title)}>
                  {visible(i.title)}
                </Link>
                {i.state !== 'open' && <Badge tone={i.state === 'resolved' ? 'ok' : 'accent'}>{(i.verdict || i.state).replaceAll('_', ' ')}</Badge>}
                {sameRule && <Badge title="The same rule raised it">same rule</Badge>}
              </div>
            </td>
            <td className={css.shared}>
              {shared.slice(0, 3).map((e) => (
                <span key={keyOf(e)} title={`${kindTitles[e.kind] ?? e.kind} ${visible(e.value)}`}>
                  {visible(e.value)}
                </span>
              ))}
              {shared.length > 3 && <span className="dim">+{shared.length - 3}</span>}
            </td>
            <td>
              <OrganizationName id={i.tenant} />
            </td>
            <td>
              <Age at={millis(i.lastSeen)} short />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
