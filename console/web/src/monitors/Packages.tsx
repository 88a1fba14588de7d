import { Badge } from '../ui/Badge';
import { visible } from '../ui/text';
import type { Package } from './versions';
import css from './monitors.module.css';

// Packages says which were installed, updated and removed.
export function Packages({ list }: { list: readonly Package[] }) {
  return (
    <div className={css.packages} tabIndex={0} role="region" aria-label="Packages that are different">
      <table>
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">What happened</th>
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {list.map((p) => (
            <tr key={p.name}>
              <td className="mono">{visible(p.name)}</td>
              <td>{p.before === '' ? <Badge tone="warn">installed</Badge> : p.after === '' ? <Badge tone="bad">removed</Badge> : <Badge>updated</Badge>}</td>
              <td className="mono">{visible(p.before) || <span className="dim">–</span>}</td>
              <td className="mono">{visible(p.after) || <span className="dim">–</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
