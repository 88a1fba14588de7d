import css from './ui.module.css';

const mac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);
const symbols: Record<string, string> = { mod: mac ? '⌘' : 'Ctrl', shift: '⇧', Enter: '↵', Escape: 'Esc', ArrowDown: '↓', ArrowUp: '↑', Space: 'Space' };

// Keys shows a key or a sequence as it is registered: "j", "shift+j", "mod+k", "g q".
export function Keys({ keys }: { keys: string }) {
  return (
    <span className={css.keys}>
      {keys.split(' ').flatMap((step) => step.split('+')).map((key, i) => (
        <kbd key={i} className={css.key}>
          {symbols[key] ?? key}
        </kbd>
      ))}
    </span>
  );
}
