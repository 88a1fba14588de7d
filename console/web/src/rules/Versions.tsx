// The versions of a rule, and what each has that the one that runs has not.

import { useQuery } from '@connectrpc/connect-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { compare, DiffView, linesOf } from '../diff';
import { type RuleVersion, RuleService } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { Badge } from '../ui/Badge';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import type { ViewProps } from './Detail';
import { packageOf } from './links';
import css from './rules.module.css';

export function Versions({ data, row, tenant }: ViewProps) {
  const others = data.versions.filter((v) => !v.running);
  const [digest, choose] = useState(others[0]?.digest ?? '');
  const chosen = data.versions.find((v) => v.digest === digest && !v.running);
  return (
    <div className={css.stack}>
      <ol className={css.versions} aria-label="Versions, the newest first">
        {data.versions.map((v) => (
          <li key={`${v.digest} ${v.generation}`}>
            <button type="button" aria-pressed={v.digest === digest && !v.running} disabled={v.running} onClick={() => choose(v.digest)}>
              <strong className="number">{visible(v.version || v.packageVersion)}</strong>
              <span>
                {v.running && <Badge tone="ok">runs</Badge>}
                {v.version === '' && <Badge title="The package had no such rule then, or is no longer here.">without it</Badge>}
              </span>
              <small className="dim">
                <Age at={millis(v.activatedAt)} ago /> {v.activatedBy && <>by {visible(v.activatedBy)}</>}
              </small>
            </button>
          </li>
        ))}
      </ol>
      <p className="dim">
        Going back to a version is on the page of its package, <Link {...packageOf(row.rule)}>{visible(row.rule.package)}</Link>.
      </p>
      {chosen ? <Difference key={digest} id={row.rule.id} tenant={tenant} version={chosen} now={data.text} /> : <p className="dim">No other version of it was installed here.</p>}
    </div>
  ); // prettier-ignore
}

function Difference({ id, tenant, version, now }: { id: string; tenant: number; version: RuleVersion; now: string }) {
  const { data, error, isPending, refetch } = useQuery(RuleService.method.getRuleVersion, { id, tenant, digest: version.digest }, { staleTime: Infinity, retry: false });
  if (error) return <ErrorBox error={error} doing="Load the version" retry={() => void refetch()} />;
  if (isPending) return null;
  return (
    <>
      <h3 className={css.small}>From {visible(version.version || version.packageVersion)} to what runs</h3>
      <Changes before={data.text} after={now} same="Both have the same document." />
    </>
  );
}

// Changes shows what is different between two documents.
export function Changes({ before, after, same }: { before: string; after: string; same: string }) {
  const hunks = useMemo(() => compare(before, after), [before, after]);
  const lines = useMemo(() => linesOf(after), [after]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  if (hunks.length === 0) return <EmptyState title="No difference">{same}</EmptyState>;
  return (
    <div className={css.changes}>
      <DiffView hunks={hunks} text={lines} open={open} toggle={(key) => setOpen((o) => new Set([...o, key]))} sides={false} />
    </div>
  );
}
