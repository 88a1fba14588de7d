import { Button, CloseButton, Progress, Tooltip } from '@mantine/core';
import { type Command, CommandButton } from '../triage/CommandButton';
import { count } from '../ui/age';
import css from './queue.module.css';
import type { Queue } from './useQueue';

// Bulk says what is selected and what can be done to it, and how far what was begun has come.
export function Bulk({ queue, commands }: { queue: Queue; commands: readonly Command[] }) {
  const { chosen, jobs } = queue;
  const long = jobs.filter((j) => j.total > 1);
  if (chosen.length === 0 && long.length === 0) return null;
  return (
    <div className={css.bulk}>
      {chosen.length > 0 && (
        <div className={css.bulkRow} role="toolbar" aria-label="What to do with the selected incidents">
          <strong className="number">{count(chosen.length)} selected</strong>
          {commands.map((c) => (
            <CommandButton key={c.keys} command={c} bare />
          ))}
          <span className={css.spring} />
          <Button variant="subtle" color="gray" onClick={() => queue.setSelected(new Set(queue.shown.rows.map((r) => r.id)))}>
            Select all {count(queue.shown.rows.length)}
          </Button>
          <CloseButton size="sm" aria-label="Clear the selection" onClick={queue.clear} />
        </div>
      )}
      {long.map((j) => (
        <div key={j.id} className={css.bulkRow} role="status">
          <span>
            {j.label} <span className="number dim">{`${count(j.done)} of ${count(j.total)}`}</span>
          </span>
          <Progress className={css.progress} value={(100 * j.done) / j.total} size="sm" aria-label={j.label} />
          {j.failures.length > 0 && (
            <Tooltip label={[...new Set(j.failures)].slice(0, 3).join(' · ')} multiline maw={420}>
              <span className={css.bad} tabIndex={0}>
                {count(j.failures.length)} left as they were: {j.failures[0]}
              </span>
            </Tooltip>
          )}
          {j.finished && <CloseButton size="sm" aria-label="Dismiss" onClick={() => queue.triage.dismiss(j.id)} />}
        </div>
      ))}
    </div>
  );
}
