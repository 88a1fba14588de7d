import { pieces } from './text';
import css from './ui.module.css';

// RawText shows text that strangers wrote: control characters as symbols, never as what they do. lines keeps line feeds.
export function RawText({ text, lines = false, limit = 20_000 }: { text: string; lines?: boolean; limit?: number }) {
  const cut = text.length > limit;
  return (
    <pre className={css.raw} tabIndex={cut ? 0 : undefined}>
      {pieces(cut ? text.slice(0, limit) : text, lines).map((p, i) =>
        p.control ? (
          <span key={i} data-control="">
            {p.text}
          </span>
        ) : (
          p.text
        ),
      )}
      {cut && <span className="dim"> … {(text.length - limit).toLocaleString('en-US')} more characters</span>}
    </pre>
  );
}
