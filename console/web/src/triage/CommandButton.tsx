import { Button, Tooltip } from '@mantine/core';
import { useSession } from '../app/session';
import { Keys } from '../ui/Keys';
import css from './triage.module.css';

// Command is something that can be done to incidents, by key, by button and from the palette.
export interface Command {
  keys: string;
  label: string;
  run: () => void;
  // Why it is not possible for these incidents; empty when it is.
  whyNot: string;
}

// CommandButton is disabled, with the reason, when the command is not possible. bare leaves its key to a title.
export function CommandButton({ command: c, bare = false }: { command: Command; bare?: boolean }) {
  const { whyNot } = useSession();
  const why = whyNot('incidents.work') || c.whyNot;
  const button = (
    <Button
      variant="default"
      className={css.command}
      rightSection={!bare && <Keys keys={c.keys} />}
      {...(bare ? { title: `Key: ${c.keys}` } : {})}
      {...(why ? { 'data-disabled': true, 'aria-disabled': true } : {})}
      onClick={() => !why && c.run()}
    >
      {c.label}
    </Button>
  );
  return why ? <Tooltip label={why}>{button}</Tooltip> : button;
}
