// What the trust policies say about a version.

import type { RegistryPackage } from '../gen/vedette/v1/registry_pb';
import { Badge } from '../ui/Badge';
import { visible } from '../ui/text';
import css from './catalogue.module.css';

const list = (texts: readonly { text: string }[]) => texts.map((t) => visible(t.text)).join('; ');

export function TrustBadge({ of: p }: { of: RegistryPackage }) {
  if (p.remote) return <Badge title="Its content is in the remote registry: it is judged when it is fetched.">remote</Badge>; // prettier-ignore
  if (p.shipped) return <Badge title="It came with the host.">shipped</Badge>;
  if (!p.trust) return <span className="dim">–</span>;
  if (!p.trust.allowed) return <Badge tone="bad" title={list(p.trust.reasons)}>refused</Badge>; // prettier-ignore
  if (p.trust.signers.length === 0) return <Badge tone="warn" title="Nobody whom the policy knows has signed it.">unsigned</Badge>; // prettier-ignore
  return <Badge tone="ok" title={`Signed by ${visible(p.trust.signers.join(', '))}`}>signed</Badge>; // prettier-ignore
}

export function StandingBadge({ standing, reason }: { standing: string; reason: string }) {
  if (standing === '' || standing === 'listed') return null;
  return <Badge tone={standing === 'deprecated' ? 'warn' : 'bad'} title={visible(reason)}>{visible(standing)}</Badge>; // prettier-ignore
}

// Verdict says whether it may be installed, and why.
export function Verdict({ of: p }: { of: RegistryPackage }) {
  if (!p.trust || p.shipped) return null;
  const { allowed, level, scope, signers, reasons, warnings } = p.trust;
  return (
    <div className={css.verdict} data-allowed={allowed || undefined}>
      <p>
        <strong>{allowed ? 'The trust policy allows it' : 'The trust policy refuses it'}</strong>
        <span className="dim">
          {' '}
          · {visible(level)}
          {scope && `, scope “${visible(scope)}”`}
          {signers.length > 0 && ` · signed by ${visible(signers.join(', '))}`}
        </span>
      </p>
      {(reasons.length > 0 || warnings.length > 0) && (
        <ul>
          {[...reasons, ...warnings].map((r, i) => (
            <li key={i}>{visible(r.text)}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
