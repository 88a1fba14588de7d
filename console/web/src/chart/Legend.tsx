import { visible } from '../ui/text';
import css from './chart.module.css';

// Legend names the colours of a chart.
export function Legend({ of, onOpen }: { of: readonly { name: string; label?: string; color: string }[]; onOpen?: (name: string) => void }) {
  return (
    <ul className={css.legend}>
      {of.map((s) => {
        const text = (
          <>
            <i style={{ background: `var(${s.color})` }} />
            <span className="cut" title={visible(s.label ?? s.name)}>
              {visible(s.label ?? s.name) || '(empty)'}
            </span>
          </>
        );
        return <li key={s.name}>{onOpen ? <button type="button" onClick={() => onOpen(s.name)}>{text}</button> : text}</li>;
      })}
    </ul>
  );
}
