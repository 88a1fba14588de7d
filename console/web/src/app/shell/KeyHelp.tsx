import { Modal, Switch } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Keys } from '../../ui/Keys';
import { singleKeys, useHotkeyList, useHotkeys } from '../keys';
import css from './shell.module.css';

const opening = new EventTarget();
export const openKeyHelp = (): void => void opening.dispatchEvent(new Event('open'));

// KeyHelp lists what the keys of this page do.
export function KeyHelp() {
  const [opened, setOpened] = useState(false);
  const [single, setSingle] = useState(singleKeys.get);
  const groups = useHotkeyList();
  useHotkeys('Everywhere', [{ keys: '?', label: 'Show keys', run: () => setOpened(true) }], true);
  useEffect(() => {
    const open = () => setOpened(true);
    opening.addEventListener('open', open);
    return () => opening.removeEventListener('open', open);
  }, []);
  return (
    <Modal opened={opened} onClose={() => setOpened(false)} title="Keys of this page" size="lg">
      <div className={css.help}>
        {groups
          .filter((g) => g.hotkeys.length > 0)
          .map((g, i) => (
            <section key={i}>
              <h3>{g.title}</h3>
              <dl>
                {g.hotkeys.map((h) => (
                  <div key={h.keys}>
                    <dt>{h.label}</dt>
                    <dd>
                      <Keys keys={h.keys} />
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
      </div>
      <Switch
        mt="lg"
        label="Keys without ⌘ or Ctrl"
        description="Switch them off when they get in the way of an input method or speech control."
        checked={single}
        onChange={(e) => {
          singleKeys.set(e.currentTarget.checked);
          setSingle(e.currentTarget.checked);
        }}
      />
    </Modal>
  );
}
