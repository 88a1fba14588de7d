import { ActionIcon } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import css from './queue.module.css';

// FirstMinute offers somebody new three steps, until it is dismissed.
export function FirstMinute({ see, canSee, seen }: { see: () => void; canSee: boolean; seen: boolean }) {
  const [dismissed, setDismissed] = useLocalStorage({ key: 'vedette.first-minute', defaultValue: '', getInitialValueInEffect: false });
  if (dismissed) return null;
  return (
    <aside className={css.strip} aria-label="First steps">
      <ol>
        <li>
          <Number n={1} done={seen} />
          <button type="button" onClick={see} disabled={!canSee}>
            <strong>See an incident</strong>
            <span>{canSee ? 'what happened, to whom, what now' : 'as soon as a rule fires'}</span>
          </button>
        </li>
        <li>
          <Number n={2} />
          <Link to="/modules/new">
            <strong>Load your own parser</strong>
            <span>paste a line, watch its fields appear</span>
          </Link>
        </li>
        <li>
          <Number n={3} />
          <Link to="/sources/add">
            <strong>Send your own logs</strong>
            <span>address, token, and a command to copy</span>
          </Link>
        </li>
      </ol>
      <ActionIcon aria-label="Dismiss the first steps" onClick={() => setDismissed('yes')}>
        <IconX size={15} />
      </ActionIcon>
    </aside>
  );
}

const Number = ({ n, done }: { n: number; done?: boolean }) => (
  <i data-done={done || undefined} aria-hidden="true">
    {done ? <IconCheck size={12} stroke={2.5} /> : n}
  </i>
);
