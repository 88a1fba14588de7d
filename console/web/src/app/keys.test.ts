import { describe, expect, it, vi } from 'vitest';
import { Keyboard, name } from './keys';

const group = (title: string, ...keys: string[]) => ({ current: { title, hotkeys: keys.map((k) => ({ keys: k, label: k, run: vi.fn(), always: k.startsWith('mod') })) } });
const event = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe('names of keys', () => {
  it.each([
    [event('j'), 'j'],
    [event('J', { shiftKey: true }), 'shift+j'],
    [event('?', { shiftKey: true }), '?'],
    [event('k', { metaKey: true }), 'mod+k'],
    [event('Enter', { ctrlKey: true }), 'mod+Enter'],
    [event(' '), 'Space'],
    [event('ArrowDown', { shiftKey: true }), 'shift+ArrowDown'],
  ])('%o is %s', (e, want) => expect(name(e)).toBe(want));
});

describe('the keyboard', () => {
  it('finds keys and sequences within a second', () => {
    const k = new Keyboard();
    k.add(group('Go to', 'g q', 'g s', 'j'));
    expect(k.find('g', 0, false)).toBeUndefined();
    expect(k.find('s', 900, false)?.keys).toBe('g s');
    expect(k.find('g', 2_000, false)).toBeUndefined();
    expect(k.find('s', 3_100, false)).toBeUndefined();
    expect(k.find('j', 3_200, false)?.keys).toBe('j');
  });

  it('prefers what came last, and forgets what left', () => {
    const k = new Keyboard();
    const shell = group('Everywhere', 'a');
    const page = group('Queue', 'a');
    const leave = k.add(page);
    k.add(shell, true);
    expect(k.find('a', 0, false)).toBe(page.current.hotkeys[0]);
    expect(k.list().map((g) => g.title)).toEqual(['Queue', 'Everywhere']);
    leave();
    expect(k.find('a', 0, false)).toBe(shell.current.hotkeys[0]);
  });

  it('leaves typing alone but for keys that always work', () => {
    const k = new Keyboard();
    k.add(group('Everywhere', 'mod+k', 'a', 'g q'));
    expect(k.find('a', 0, true)).toBeUndefined();
    expect(k.find('g', 0, true)).toBeUndefined();
    expect(k.find('q', 10, false)).toBeUndefined();
    expect(k.find('mod+k', 0, true)?.keys).toBe('mod+k');
  });

  it('lists what a key does now', () => {
    const k = new Keyboard();
    const g = group('Queue', 'a');
    k.add(g);
    const [listed] = k.list()[0]!.hotkeys;
    const later = vi.fn();
    g.current = { title: 'Queue', hotkeys: [{ keys: 'a', label: 'a', run: later, always: false }] };
    listed!.run();
    expect(later).toHaveBeenCalledOnce();
  });
});
