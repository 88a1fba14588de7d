// The document as it is in the package.

import { lazy, Suspense } from 'react';
import { CopyButton } from '../ui/Copy';
import type { ViewProps } from './Detail';
import css from './rules.module.css';

const Editor = lazy(() => import('../editor/Editor'));

export function Document({ data, row }: ViewProps) {
  return (
    <div className={css.document}>
      <div className={css.line}>
        <span className="mono dim cut">{row.rule.file || row.rule.id}</span>
        <CopyButton text={data.text} what="the document" />
      </div>
      <div className={css.code}>
        <Suspense fallback={<p className="dim">The document is loading…</p>}>
          <Editor key={data.text} label={`Document of ${row.rule.name}, YAML`} value={data.text} />
        </Suspense>
      </div>
    </div>
  );
}
