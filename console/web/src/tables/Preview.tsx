import type { CheckTableResponse } from '../gen/vedette/v1/table_pb';
import { count, plural } from '../ui/age';
import { visible } from '../ui/text';
import css from './tables.module.css';

// Preview shows what the host reads of an upload, and what is wrong with it, by line.
export function Preview({ checked: c }: { checked: CheckTableResponse }) {
  return (
    <div className={css.preview}>
      <p className="number" role="status">
        <strong>{plural(Number(c.rows), 'row')}</strong>
        {c.doubles > 0n && <span className={css.warn}> {count(c.doubles)} have the key of an earlier one, and are never found.</span>}
        {c.totalProblems > 0n && <span className={css.bad}> {plural(Number(c.totalProblems), 'problem')}: as it is, it is refused.</span>}
      </p>
      {c.problems.length > 0 && (
        <ol className={css.problems} aria-label="What is wrong" tabIndex={0}>
          {c.problems.map((p, i) => (
            <li key={i}>
              <b className="number">{p.line ? `line ${count(p.line)}` : 'all of it'}</b> {visible(p.text)}
            </li>
          ))}
          {Number(c.totalProblems) > c.problems.length && <li className="dim">and {count(Number(c.totalProblems) - c.problems.length)} more</li>}
        </ol>
      )}
      {c.first.length > 0 && (
        <div className={css.first} tabIndex={0} role="region" aria-label="First rows">
          <table>
            <thead>
              <tr>
                {c.columns.map((name, i) => (
                  <th key={name} scope="col">
                    {visible(name)}
                    {i === 0 && ' (key)'}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {c.first.map((r, i) => (
                <tr key={i}>
                  {r.cells.map((cell, j) => (
                    <td key={j} className={j === 0 ? 'mono' : undefined}>
                      {visible(cell.slice(0, 200))}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
