// A watch that is there, changed: tried once against the device, then in force from the next poll on.

import { useState } from 'react';
import { notice } from '../ui/notice';
import { visible } from '../ui/text';
import { type Draft, draftOf } from './draft';
import type { Row } from './rows';
import { Trying } from './Trying';
import { usePollers } from './useMonitors';
import { useTrial } from './useTrial';
import { WatchForm } from './WatchForm';

export function Edit({ row, done, cancel }: { row: Row; done: () => void; cancel: () => void }) {
  const before = row.entry.watch!;
  const [draft, setDraft] = useState<Draft>(() => draftOf(before));
  const { monitors } = usePollers(row.tenant);
  const trial = useTrial(before, () => {
    notice(`${visible(before.id)} polls as you have said.`);
    done();
  });
  return (
    <>
      <Trying draft={draft} trial={trial} label="Apply" cancel={cancel} />
      <WatchForm draft={draft} monitor={monitors.find((m) => m.module === before.module)} change={(patch) => setDraft((d) => ({ ...d, ...patch }))} touched />
    </>
  );
}
