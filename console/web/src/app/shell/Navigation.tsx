import { IconChartHistogram, IconFileDiff, IconGauge, IconHeartbeat, IconInbox, IconPackages, IconPlug, IconPuzzle, IconRadar2, IconSearch, IconShieldBolt, IconTable } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWaiting } from '../../admission/useWaiting';
import { Keys } from '../../ui/Keys';
import { useHotkeys } from '../keys';
import css from './shell.module.css';

export const places = [
  { to: '/queue', title: 'Queue', keys: 'g q', icon: IconInbox },
  { to: '/search', title: 'Search', keys: 'g s', icon: IconSearch },
  { to: '/dashboards', title: 'Dashboards', keys: 'g d', icon: IconChartHistogram },
  { to: '/rules', title: 'Rules', keys: 'g r', icon: IconShieldBolt },
  { to: '/modules', title: 'Modules', keys: 'g m', icon: IconPuzzle },
  { to: '/catalogue', title: 'Catalogue', keys: 'g a', icon: IconPackages },
  { to: '/sources', title: 'Sources', keys: 'g o', icon: IconPlug },
  { to: '/monitors', title: 'Monitors', keys: 'g w', icon: IconRadar2 },
  { to: '/configurations', title: 'Configurations', keys: 'g c', icon: IconFileDiff },
  { to: '/tables', title: 'Tables', keys: 'g t', icon: IconTable },
  { to: '/usage', title: 'Usage', keys: 'g u', icon: IconGauge },
  { to: '/health', title: 'Health', keys: 'g h', icon: IconHeartbeat },
];

export function Navigation() {
  const navigate = useNavigate();
  useHotkeys(
    'Go to',
    places.map((p) => ({ keys: p.keys, label: p.title, run: () => void navigate({ to: p.to }) })),
    true,
  );
  const waiting = useWaiting();
  return (
    <nav className={css.nav} aria-label="Pages">
      {places.map((p) => (
        <Link key={p.to} to={p.to} aria-label={p.to === '/modules' && waiting > 0 ? `${p.title}, ${waiting} for approval` : p.title}>
          <p.icon size={17} stroke={1.6} aria-hidden="true" />
          <span>{p.title}</span>
          {p.to === '/modules' && waiting > 0 && (
            <b className={css.waiting} title="Installations that wait for approval">
              {waiting}
            </b>
          )}
          <span>
            <Keys keys={p.keys} />
          </span>
        </Link>
      ))}
      <footer>
        <Keys keys="?" /> <span>keys of this page</span>
      </footer>
    </nav>
  );
}
