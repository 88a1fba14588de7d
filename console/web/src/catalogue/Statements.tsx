// Signed documents about a version: who says what, and whether they are believed.

import type { PackageStatement } from '../gen/vedette/v1/registry_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { visible } from '../ui/text';
import css from './catalogue.module.css';

const titles: Record<string, string> = { signature: 'Signature', sbom: 'Bill of materials', provenance: 'Provenance', conformance: 'Conformance report' };
const order = Object.keys(titles);
const shown = 50; // components or materials

export function Statements({ list, shipped }: { list: readonly PackageStatement[]; shipped: boolean }) {
  if (list.length === 0) return <p className="dim">{shipped ? 'It is part of the host’s own binary.' : 'Nothing: nobody has signed it.'}</p>;
  return (
    <ul className={css.statements}>
      {list.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)).map((s) => (
        <li key={s.digest}>
          <header>
            <strong>{titles[s.kind] ?? visible(s.kind)}</strong>
            {s.signers.length > 0 ? <Badge tone="ok">{visible(s.signers.join(', '))}</Badge> : <Badge tone="warn">not known</Badge>}
          </header>
          {s.problem && s.signers.length > 0 && <p className={css.warn}>{visible(s.problem)}</p>}
          {s.signers.length === 0 && (
            <p className="dim">
              {s.unknown.length > 0 ? <>By <span className="mono">{visible(s.unknown.map((k) => k.slice(0, 12)).join(', '))}</span>, whom no policy in force names.</> : 'By nobody whom a policy in force names.'}
            </p>
          )}
          <What statement={s} />
        </li>
      ))}
    </ul>
  ); // prettier-ignore
}

function What({ statement: { content: c } }: { statement: PackageStatement }) {
  switch (c.case) {
    case 'release':
      return (
        <p>
          Signed <Age at={millis(c.value.signed)} ago />
          {c.value.audience && `, for ${visible(c.value.audience)} only`}
        </p>
      );
    case 'conformance':
      return <p>{c.value.level < 0 ? 'Does not conform' : `Conforms L${c.value.level}`} on {visible(c.value.host)}, <Age at={millis(c.value.at)} ago /></p>; // prettier-ignore
    case 'provenance':
      return (
        <>
          <dl className={css.facts}>
            <dt>Builder</dt>
            <dd className="mono">{visible(c.value.builder)}</dd>
            <dt>Source</dt>
            <dd className="mono">{visible(c.value.source)}</dd>
            {c.value.sourceDigest && (
              <>
                <dt>Content</dt>
                <dd className="mono">{visible(c.value.sourceDigest)}</dd>
              </>
            )}
            <dt>With</dt>
            <dd>{visible(c.value.toolchain.join(', '))}</dd>
          </dl>
          <Parts title={plural(c.value.materials.length, 'material')} list={c.value.materials.map((m) => m.uri)} />
        </>
      );
    case 'sbom':
      return (
        <>
          <p className="dim">{visible(c.value.format)}</p>
          <Parts
            title={`${plural(c.value.components.filter((x) => x.kind !== 'file').length, 'dependency', 'dependencies')}, ${plural(c.value.components.filter((x) => x.kind === 'file').length, 'file')}`}
            list={c.value.components.map((x) => [x.name, x.version].filter(Boolean).join(' '))}
          />
        </>
      );
    default:
      return null;
  }
}

function Parts({ title, list }: { title: string; list: readonly string[] }) {
  if (list.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <ul className={css.parts}>
        {list.slice(0, shown).map((x, i) => (
          <li key={i} className="mono">
            {visible(x)}
          </li>
        ))}
        {list.length > shown && <li className="dim">and {list.length - shown} more</li>}
      </ul>
    </details>
  );
}
