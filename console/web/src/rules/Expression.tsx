// How parts are joined, as nested steps.

import { ActionIcon, Button, Select, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { type FormExpr, operators } from './form';
import css from './form.module.css';

interface Props {
  value: FormExpr;
  subs: readonly string[];
  change: (x: FormExpr) => void;
  remove?: (() => void) | undefined;
}

export function Expression({ value: x, subs, change, remove }: Props) {
  if (!x.op) {
    return (
      <div className={css.line}>
        <Select aria-label="Part" className={css.part!} data={[...subs]} value={x.sub ?? ''} onChange={(sub) => sub && change({ sub })} allowDeselect={false} />
        {remove && <Remove run={remove} />}
      </div>
    );
  }
  const of = x.of ?? [];
  const put = (next: readonly FormExpr[]) => change(next.length === 1 && x.op !== 'span' ? next[0]! : { ...x, of: next });
  return (
    <div className={css.expr} role="group" aria-label={x.op === 'span' ? 'All within' : `Joined by ${x.op}`}>
      {x.op === 'span' ? (
        <div className={css.line}>
          <span>All of it within</span>
          <TextInput aria-label="Span" className={css.within!} value={x.within ?? ''} onChange={(e) => change({ ...x, within: e.currentTarget.value })} />
          {remove && <Remove run={remove} />}
        </div>
      ) : (
        <div className={css.line}>
          <Select aria-label="Joined by" className={css.all!} data={operators.map((o) => ({ ...o }))} value={x.op} onChange={(op) => op && change({ ...x, op })} allowDeselect={false} />
          {x.op !== 'or' && (
            <>
              <span className="dim">within</span>
              <TextInput aria-label="Within" placeholder="as for all" className={css.within!} value={x.within ?? ''} onChange={(e) => change({ ...x, within: e.currentTarget.value })} />
            </>
          )}
          {remove && <Remove run={remove} />}
        </div>
      )}
      <div className={css.operands}>
        {of.map((o, i) => (
          <Expression key={i} value={o} subs={subs} change={(next) => put(of.map((y, j) => (i === j ? next : y)))} remove={of.length > 2 ? () => put(of.filter((_, j) => i !== j)) : undefined} />
        ))}
        {x.op !== 'span' && (
          <div className={css.line}>
            <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => put([...of, { sub: subs[0]! }])}>
              Part
            </Button>
            <Button variant="default" size="compact-xs" leftSection={<IconPlus size={12} aria-hidden="true" />} onClick={() => put([...of, { op: 'or', of: [{ sub: subs[0]! }, { sub: subs.at(-1)! }] }])}>
              Group
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

const Remove = ({ run }: { run: () => void }) => (
  <ActionIcon aria-label="Take it out" onClick={run}>
    <IconX size={14} />
  </ActionIcon>
);
