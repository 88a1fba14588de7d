import { type Severity as Word, severities } from '../live/row';
import css from './ui.module.css';

const labels: Record<Word, string> = { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', informational: 'Info' };

// Severity shows one of the five in word, colour and a small meter.
export function Severity({ value }: { value: string }) {
  const word = (severities as readonly string[]).includes(value) ? (value as Word) : 'informational';
  return (
    <span className={css.severity} data-severity={word} title={word}>
      <Meter level={severities.length - severities.indexOf(word)} />
      {labels[word]}
    </span>
  );
}

function Meter({ level }: { level: number }) {
  return (
    <span className={css.meter} aria-hidden="true">
      {[1, 2, 3, 4, 5].map((n) => (
        <i key={n} data-on={n <= level || undefined} style={{ height: `${1 + n * 1.6}px` }} />
      ))}
    </span>
  );
}
