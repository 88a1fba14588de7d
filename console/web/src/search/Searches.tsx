import { ActionIcon, Button, Menu, Modal, TextInput, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { dismiss, notice } from '../ui/notice';
import { visible } from '../ui/text';
import { examples, type SearchParams } from './params';
import { forget, history, type Kept, remove, save, saved } from './saved';
import css from './search.module.css';
import { inWords } from './time';

interface Props {
  params: SearchParams;
  draft: string;
  onOpen: (search: Partial<Kept>) => void;
}

const recent = 12; // of the history in the menu; ↑ in the editor has all of it

// Searches opens a search that was saved, run before, or that shows what can be asked.
export function Searches({ params, draft, onOpen }: Props) {
  const [naming, { open, close }] = useDisclosure();
  const [, draw] = useState(0);
  const [shown, setShown] = useState(false);
  const past = shown ? history() : [];
  const kept = shown ? saved() : [];
  const drop = (name: string) => {
    const old = kept.find((s) => s.name === name);
    remove(name);
    draw((n) => n + 1);
    const id = notice(`“${name}” is gone.`, () => {
      if (old) save(name, old);
      dismiss(id);
    });
  };
  return (
    <>
      <Menu width={460} opened={shown} onChange={setShown} position="bottom-start">
        <Menu.Target>
          <Tooltip label="Saved and last searches" disabled={shown}>
            <ActionIcon size={32} aria-label="Saved and last searches" className={css.bookmark}>
              <IconBookmark size={16} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown className={css.searches}>
          <Menu.Item onClick={open} disabled={draft.trim() === ''}>
            Save this search…
          </Menu.Item>
          {kept.length > 0 && <Menu.Label>Saved</Menu.Label>}
          {kept.map((s) => (
            <div key={s.name} className={css.savedRow} role="none">
              <Menu.Item onClick={() => onOpen({ q: s.q, range: s.range, from: s.from, to: s.to })}>
                <b>{visible(s.name)}</b> <span className="dim">{s.from ? '' : inWords(s.range).toLowerCase()}</span>
                <code>{visible(s.q)}</code>
              </Menu.Item>
              <Menu.Item aria-label={`Remove ${s.name}`} closeMenuOnClick={false} onClick={() => drop(s.name)}>
                <IconTrash size={14} />
              </Menu.Item>
            </div>
          ))}
          <Menu.Label>Examples</Menu.Label>
          {examples.map((e) => (
            <Menu.Item key={e.text} onClick={() => onOpen({ q: e.text })}>
              {e.what}
              <code>{e.text}</code>
            </Menu.Item>
          ))}
          {past.length > 0 && <Menu.Label>Last searches (↑ in the empty editor has them too)</Menu.Label>}
          {past.slice(0, recent).map((h) => (
            <Menu.Item key={h} onClick={() => onOpen({ q: h })}>
              <code>{visible(h.slice(0, 300))}</code>
            </Menu.Item>
          ))}
          {past.length > 0 && (
            <Menu.Item c="dimmed" onClick={() => forget()}>
              Forget the last searches
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Naming opened={naming} close={close} search={{ q: draft.trim(), range: params.range, from: params.from, to: params.to }} />
    </>
  );
}

function Naming({ opened, close, search }: { opened: boolean; close: () => void; search: Kept }) {
  const [name, setName] = useState('');
  const taken = opened && saved().some((s) => s.name === name.trim());
  return (
    <Modal opened={opened} onClose={close} title="Save this search">
      <form
        className={css.naming}
        onSubmit={(e) => {
          e.preventDefault();
          if (!name.trim()) return;
          save(name, search);
          notice(`“${name.trim()}” is saved in this browser.`);
          setName('');
          close();
        }}
      >
        <code>{visible(search.q)}</code>
        <TextInput label="Name" value={name} maxLength={80} onChange={(e) => setName(e.currentTarget.value)} data-autofocus description={taken ? 'Takes the place of the one that has this name.' : undefined} />
        <Button type="submit" disabled={!name.trim()}>
          Save
        </Button>
      </form>
    </Modal>
  );
}
