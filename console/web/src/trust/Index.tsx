// The signed index: what it is, how long it is good for, and when it was looked for.

import type { GetTrustPolicyResponse } from '../gen/vedette/v1/registry_pb';
import { millis } from '../live/row';
import { Age, useNow } from '../ui/Age';
import { clock } from '../ui/age';
import { Badge } from '../ui/Badge';
import { Panel } from '../ui/Layout';
import { visible } from '../ui/text';
import css from './trust.module.css';

const day = 24 * 3600 * 1000; // ms
const soon = 14 * day;

export function Index({ of: p }: { of: GetTrustPolicyResponse }) {
  const now = useNow();
  const { index: x } = p;
  const expires = millis(x?.expires);
  return (
    <Panel title="Signed index">
      {!x && <p className="dim">None is believed yet. Without one nothing can be yanked or revoked.</p>}
      <dl className={css.facts}>
        {x && (
          <>
            <dt>Registry</dt>
            <dd>{visible(x.registry)}</dd>
            <dt>Version</dt>
            <dd className="number">
              {String(x.version)}, under root {String(x.root)}
            </dd>
            <dt>Issued</dt>
            <dd>
              <Age at={millis(x.issued)} ago />
            </dd>
            <dt>Expires</dt>
            <dd>
              <span title={clock(expires)}>{clock(expires).slice(0, 11)}</span>
              {expires < now ? <Badge tone="bad">expired</Badge> : expires - now < soon && <Badge tone="warn">soon</Badge>}
            </dd>
          </>
        )}
        <dt>From</dt>
        <dd className={p.remote ? 'mono' : undefined}>{p.remote ? visible(p.remote) : 'this host’s own registry'}</dd>
        <dt>Looked</dt>
        <dd>{p.looked ? <Age at={millis(p.looked)} ago /> : 'not yet'}</dd>
      </dl>
      {p.problem && <p className={css.bad}>{visible(p.problem)}</p>}
    </Panel>
  );
}
