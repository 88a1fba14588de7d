// What a watch may do at its devices: it reaches this and nothing else.

import { Link } from '@tanstack/react-router';
import type { Watch } from '../gen/vedette/v1/monitor_pb';
import { visible } from '../ui/text';
import css from './monitors.module.css';
import { Part } from './Part';

export function Reach({ watch: w }: { watch: Watch }) {
  return (
    <Part title="May reach">
      <ul className={css.reach}>
        {w.targets.map((t) => (
          <li key={t.name}>
            <Link to="/monitors" search={{ show: 'devices', at: `${w.tenant} ${t.device}` } as never}>
              {visible(t.device)}
            </Link>{' '}
            <span className="dim">as “{visible(t.name)}”</span>
            {t.ports.length > 0 && <p>ports {t.ports.join(', ')}</p>}
            {t.oids.length > 0 && <p className="mono">{t.oids.map(visible).join(', ')}</p>}
            {t.commands.map((c) => (
              <p key={c.id} className="mono">
                <span className="dim">{visible(c.id)}:</span> {visible(c.run)}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </Part>
  );
}
