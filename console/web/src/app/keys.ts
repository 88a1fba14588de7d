// Keys of the console. A page registers what its keys do while it is shown; `?` lists them. A key is "j", "shift+j",
// "mod+k" (⌘ or Ctrl), or a sequence "g q".

import { useEffect, useRef, useSyncExternalStore } from 'react';

export interface Hotkey {
  keys: string;
  label: string;
  run: () => void;
  // Works while typing too.
  always?: boolean;
}

export interface HotkeyGroup {
  title: string;
  hotkeys: Hotkey[];
}

const sequenceTime = 1_000; // ms between the keys of a sequence
const setting = 'vedette.keys';

export class Keyboard {
  private groups: { current: HotkeyGroup }[] = [];
  private listeners = new Set<() => void>();
  private shown: HotkeyGroup[] = [];
  private first = '';
  private firstAt = 0;

  // add registers a group, whose hotkeys may change; changed says that others are listed now. What a page adds goes
  // before what is everywhere.
  add(group: { current: HotkeyGroup }, everywhere = false): () => void {
    if (everywhere) this.groups.unshift(group);
    else this.groups.push(group);
    this.changed();
    return () => {
      this.groups = this.groups.filter((g) => g !== group);
      this.changed();
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  // list returns the groups, those of the page first.
  list = (): HotkeyGroup[] => this.shown;

  // find returns what a key does now, and remembers the beginning of a sequence. The last group that was added wins.
  find(key: string, now: number, typing: boolean): Hotkey | undefined {
    const sequence = this.first && now - this.firstAt < sequenceTime ? `${this.first} ${key}` : '';
    this.first = '';
    const all = this.groups.toReversed().flatMap((g) => g.current.hotkeys);
    const found = (sequence && all.find((h) => h.keys === sequence)) || all.find((h) => h.keys === key);
    if (found) return typing && !found.always ? undefined : found;
    if (!typing && all.some((h) => h.keys.startsWith(`${key} `))) {
      this.first = key;
      this.firstAt = now;
    }
    return undefined;
  }

  changed(): void {
    const byTitle = new Map<string, Hotkey[]>();
    for (const { current } of this.groups.toReversed()) {
      // What is listed does what the key does when it is used, not what it did when it was listed.
      const listed = current.hotkeys.map((h) => ({ ...h, run: () => this.find(h.keys, 0, false)?.run() }));
      byTitle.set(current.title, [...(byTitle.get(current.title) ?? []), ...listed]);
    }
    this.shown = [...byTitle].map(([title, hotkeys]) => ({ title, hotkeys }));
    for (const listener of this.listeners) listener();
  }
}

// name is how a pressed key is written.
export function name(e: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const letter = e.key.length === 1 && e.key.toLowerCase() !== e.key.toUpperCase();
  let out = letter ? e.key.toLowerCase() : e.key === ' ' ? 'Space' : e.key;
  if (e.shiftKey && (letter || e.key.length > 1)) out = `shift+${out}`;
  if (e.altKey) out = `alt+${out}`;
  if (e.ctrlKey || e.metaKey) out = `mod+${out}`;
  return out;
}

export const keyboard = new Keyboard();

// Single keys can be switched off, for people whom they get in the way (WCAG 2.1.4).
export const singleKeys = {
  get: (): boolean => localStorage.getItem(setting) !== 'off',
  set: (on: boolean): void => localStorage.setItem(setting, on ? 'on' : 'off'),
};

const isTyping = (t: EventTarget | null): boolean =>
  t instanceof HTMLElement &&
  (t.isContentEditable || t instanceof HTMLTextAreaElement || t instanceof HTMLSelectElement || (t instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(t.type)));

const isControl = (t: EventTarget | null): boolean =>
  t instanceof Element && t.closest('button, a, summary, input, [role="menuitem"], [role="option"], [role="tab"], [role="switch"]') !== null;

// listen hands the document's keys to the registry until the returned function is called.
export function listen(): () => void {
  const down = (e: KeyboardEvent) => {
    if (e.defaultPrevented || e.isComposing) return;
    const key = name(e);
    if (['Shift', 'Control', 'Alt', 'Meta'].includes(e.key)) return;
    if ((key === 'Enter' || key === 'Space') && isControl(e.target)) return;
    const modified = key.includes('mod+');
    if (!modified && e.key.length === 1 && !singleKeys.get()) return;
    if (document.querySelector('[aria-modal="true"]')) return;
    const found = keyboard.find(key, Date.now(), isTyping(e.target));
    if (!found) return;
    e.preventDefault();
    found.run();
  };
  document.addEventListener('keydown', down);
  return () => document.removeEventListener('keydown', down);
}

// useHotkeys registers keys while the component is shown. The list may change with every render. everywhere is for what
// is around the pages.
export function useHotkeys(title: string, hotkeys: Hotkey[], everywhere = false): void {
  const group = useRef<HotkeyGroup>({ title, hotkeys });
  group.current = { title, hotkeys };
  useEffect(() => keyboard.add(group, everywhere), [everywhere]);
  const listed = hotkeys.map((h) => `${h.keys} ${h.label}`).join();
  useEffect(() => keyboard.changed(), [listed]);
}

// useHotkeyList returns what is registered now.
export const useHotkeyList = (): HotkeyGroup[] => useSyncExternalStore(keyboard.subscribe, keyboard.list);
