import { Button, CloseButton, Progress, Tooltip } from '@mantine/core';
import { type Command, CommandButton } from '../triage/CommandButton';
import type { Failure, Job } from '../triage/triage';
import { count } from '../ui/age';
import { Keys } from '../ui/Keys';
import { visible } from '../ui/text';
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
          {chosen.length < queue.shown.rows.length && (
            <Button variant="subtle" color="gray" rightSection={<Keys keys="mod+a" />} onClick={queue.selectAll}>
              Select all {count(queue.shown.rows.length)}
            </Button>
          )}
          <CloseButton size="sm" aria-label="Clear the selection" onClick={queue.clear} />
        </div>
      )}
      {long.map((j) => (
        <div key={j.id} className={css.bulkRow} role={j.finished ? 'status' : 'group'} aria-label={j.label}>
          <span className={css.label}>
            {j.label} <span className="number dim">{`${count(j.done)} of ${count(j.total)}`}</span>
          </span>
          {!j.finished && <Progress className={css.progress} value={(100 * j.done) / j.total} size="sm" aria-label={j.label} />}
          <Failed job={j} />
          {j.finished && <CloseButton size="sm" aria-label="Dismiss" onClick={() => queue.triage.dismiss(j.id)} />}
        </div>
      ))}
    </div>
  );
}

const mostNamed = 10;

// Failed names the incidents that were left as they were, and why; all that fit are in its title.
function Failed({ job: { failures } }: { job: Job }) {
  const [first] = failures;
  if (!first) return null;
  const more = failures.length - mostNamed;
  const all = (
    <ul className={css.failures}>
      {failures.slice(0, mostNamed).map((f) => (
        <li key={f.id}>{sentence(f)}</li>
      ))}
      {more > 0 && <li>and {count(more)} more</li>}
    </ul>
  );
  return (
    <Tooltip label={all} multiline maw={520}>
      <span className={css.failed} tabIndex={0}>
        {failures.length === 1 ? '1 left as it was: ' : `${count(failures.length)} left as they were: `}
        {sentence(first)}
      </span>
    </Tooltip>
  );
}

const sentence = (f: Failure): string => `${visible(f.title)}: ${visible(f.message)}`;
