import { Button, Menu, Modal, TextInput } from '@mantine/core';
import { IconBookmark, IconSearch, IconX } from '@tabler/icons-react';
import { type FormEvent, type RefObject, useEffect, useState } from 'react';
import { Keys } from '../ui/Keys';
import { notice } from '../ui/notice';
import css from './queue.module.css';
import type { Queue } from './useQueue';
import { builtIn, full, readViews, same, type View, writeViews } from './views';

const typingPause = 150; // ms

export function Toolbar({ queue, search }: { queue: Queue; search: RefObject<HTMLInputElement | null> }) {
  return (
    <>
      <Views queue={queue} />
      <TextFilter queue={queue} search={search} />
    </>
  );
}

function Views({ queue: { params, set } }: { queue: Queue }) {
  const [saved, setSaved] = useState(() => readViews(localStorage));
  const [naming, setNaming] = useState(false);
  const show = (v: View) => set(full(v), { push: true });
  const store = (views: View[]) => {
    setSaved(views);
    writeViews(localStorage, views);
  };
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get('name')).trim();
    const { org: _, ...rest } = params;
    store([...saved.filter((v) => v.name !== name), { name, params: rest }]);
    setNaming(false);
    notice(`The view “${name}” is saved in this browser. Its address can be sent to others.`);
  };
  const current = [...builtIn, ...saved].find((v) => same(v, params));
  return (
    <div className={css.views} role="group" aria-label="Views">
      {builtIn.map((v) => (
        <button key={v.name} type="button" aria-pressed={v === current} onClick={() => show(v)}>
          {v.name}
        </button>
      ))}
      <Menu position="bottom-start" width={240}>
        <Menu.Target>
          <button type="button" aria-pressed={current !== undefined && !builtIn.includes(current)}>
            <IconBookmark size={14} aria-hidden="true" />
            {current && !builtIn.includes(current) ? current.name : current ? 'Saved' : 'Custom'}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Saved views</Menu.Label>
          {saved.length === 0 && <Menu.Label>None yet</Menu.Label>}
          {saved.map((v) => (
            <Menu.Item key={v.name} onClick={() => show(v)}>
              {v.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setNaming(true)}>Save what is shown as a view…</Menu.Item>
          {current && !builtIn.includes(current) && (
            <Menu.Item color="red" onClick={() => store(saved.filter((v) => v.name !== current.name))}>
              Remove “{current.name}”
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={naming} onClose={() => setNaming(false)} title="Save this view">
        <form onSubmit={save} className={css.form}>
          <TextInput label="Name" name="name" required maxLength={60} withAsterisk={false} data-autofocus />
          <Button type="submit">Save</Button>
        </form>
      </Modal>
    </div>
  );
}

function TextFilter({ queue: { params, set, table }, search }: { queue: Queue; search: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState(params.q);
  useEffect(() => setText(params.q), [params.q]);
  useEffect(() => {
    if (text === params.q) return;
    const timer = setTimeout(() => set({ q: text }), typingPause);
    return () => clearTimeout(timer);
  }, [text, params.q, set]);
  return (
    <TextInput
      ref={search}
      className={css.search}
      aria-label="Filter by title, rule, host, user or address"
      placeholder="Filter by text"
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key !== 'Escape' && e.key !== 'Enter') return;
        if (e.key === 'Escape') setText('');
        table.current?.focus();
      }}
      leftSection={<IconSearch size={14} aria-hidden="true" />}
      rightSection={
        text ? (
          <button type="button" className={css.plain} aria-label="Clear the text filter" onClick={() => setText('')}>
            <IconX size={13} />
          </button>
        ) : (
          <Keys keys="/" />
        )
      }
    />
  );
}

