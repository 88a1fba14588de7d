// How a version keeps to the module ABI: what this host has found itself, and what others say.

import type { Conformance, ConformanceReport } from '../gen/vedette/v1/module_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { visible } from '../ui/text';
import css from './catalogue.module.css';

const levelOf = (r: ConformanceReport) => (r.level < 0 ? 'none' : `L${r.level}`);

// What a level stands for: it holds with all those below it.
const levels = ['static admission', 'the ABI', 'capabilities', 'isolation and limits', 'life cycle', 'determinism'];

const sentence = (r: ConformanceReport) => (r.level < 0 ? 'Does not conform' : `Conforms ${levelOf(r)} (${levels[r.level] ?? ''})`);

// ConformanceBadge is the level in a word, with who says so in its title.
export function ConformanceBadge({ conformance: c }: { conformance: Conformance | undefined }) {
  if (c?.checked) {
    const { checked: r } = c;
    return <Badge tone={r.failed.length === 0 ? 'ok' : r.level < 3 ? 'bad' : 'warn'} title={`${sentence(r)}, checked on this host${r.failed.length > 0 ? `; ${plural(r.failed.length, 'requirement')} fail` : ''}`}>{levelOf(r)}</Badge>; // prettier-ignore
  }
  if (c?.attested) return <Badge title={`${sentence(c.attested)}, attested by ${visible(c.attested.by.join(', '))}; not checked on this host`}>{levelOf(c.attested)} attested</Badge>; // prettier-ignore
  const why = c?.trouble ? `It could not be checked: ${visible(c.trouble)}` : 'It was not checked on this host yet.';
  return <span className="dim" title={why}>–</span>; // prettier-ignore
}

// ConformanceFacts says it in full.
export function ConformanceFacts({ conformance: c }: { conformance: Conformance | undefined }) {
  if (!c) return <p className="dim">Its package is no longer here.</p>;
  return (
    <div className={css.conformance}>
      {c.checked && <Report report={c.checked} how="checked on this host" />}
      {c.attested && <Report report={c.attested} how={`attested by ${visible(c.attested.by.join(', '))}`} />}
      {c.trouble && <p className={css.warn}>It could not be checked: {visible(c.trouble)}. The host tries again within an hour.</p>}
      {!c.checked && !c.trouble && <p className="dim">Not checked on this host yet: it tries what runs, one module after another.</p>}
    </div>
  );
}

function Report({ report: r, how }: { report: ConformanceReport; how: string }) {
  return (
    <div>
      <p>
        <strong>{sentence(r)}</strong>, {how} <Age at={millis(r.at)} ago />
        <span className="dim">
          {' '}
          · {plural(r.passed, 'requirement')} of suite {visible(r.suite)} hold on {visible(r.host)}
        </span>
      </p>
      {r.failed.length > 0 && (
        <ul className={css.failed} aria-label="Requirements that do not hold">
          {r.failed.map((f) => (
            <li key={f.id}>
              <span className="mono">{visible(f.id)}</span> {visible(f.text)}
              <small>{visible(f.detail)}</small>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
