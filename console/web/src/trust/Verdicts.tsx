// What a policy says about each module that runs.

import { useQuery } from '@connectrpc/connect-query';
import { ModuleService, type Trust } from '../gen/vedette/v1/module_pb';
import { Badge } from '../ui/Badge';
import { Panel } from '../ui/Layout';
import { visible } from '../ui/text';
import css from './trust.module.css';

export interface Judged {
  readonly name: string;
  readonly version: string;
  readonly trust?: Trust | undefined;
}

export function Verdicts({ list, none }: { list: readonly Judged[]; none: string }) {
  if (list.length === 0) return <p className="dim">{none}</p>;
  return (
    <ul className={css.verdicts}>
      {list.map((m) => (
        <li key={m.name} data-refused={m.trust && !m.trust.allowed ? '' : undefined}>
          <span className="mono">{visible(m.name)}</span>
          <span className="number dim">{visible(m.version)}</span>
          {m.trust && <Badge tone={m.trust.allowed ? 'ok' : 'bad'}>{m.trust.allowed ? 'allowed' : 'refused'}</Badge>}
          <small>
            {m.trust?.scope && `scope “${visible(m.trust.scope)}”, ${visible(m.trust.level)}`}
            {m.trust && m.trust.signers.length > 0 && `, signed by ${visible(m.trust.signers.join(', '))}`}
          </small>
          {[...(m.trust?.reasons ?? []), ...(m.trust?.warnings ?? [])].map((r, i) => (
            <small key={i}>{visible(r.text)}</small>
          ))}
        </li>
      ))}
    </ul>
  );
}

// Running is what the policies in force say about what all organizations share.
export function Running() {
  const { data } = useQuery(ModuleService.method.listModules, { tenants: [] });
  const shared = data?.modules.filter((m) => m.tenant === 0 && !m.publisher.includes('(shipped)')) ?? [];
  return (
    <Panel title="What it says about what all share">
      <Verdicts list={shared} none="Nothing runs for all but what ships with the host, which needs no signature." />
    </Panel>
  );
}
