// The pages of rules, on each of them.

import { Link } from '@tanstack/react-router';
import css from './rules.module.css';

const places = [
  { to: '/rules', title: 'Rules' },
  { to: '/rules/attack', title: 'ATT&CK' },
  { to: '/rules/ledger', title: 'Gaps' },
];

const exact = { exact: true, includeSearch: false };

export function Places() {
  return (
    <nav className={css.places} aria-label="Pages of rules">
      {places.map((p) => (
        <Link key={p.to} to={p.to} activeOptions={exact}>
          {p.title}
        </Link>
      ))}
    </nav>
  );
}
