// One module beside the list, or on a page of its own: what it is, what it did, what to do about it.

import { ActionIcon, Switch, Tooltip } from '@mantine/core';
import { IconArrowsMaximize, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { ConformanceFacts } from '../catalogue';
import { Keys } from '../ui/Keys';
import { RawText } from '../ui/RawText';
import { visible } from '../ui/text';
import { Cases } from './Cases';
import { Facts } from './Facts';
import { Failures } from './Failures';
import { Grants, Runs } from './Grants';
import { Log } from './Log';
import css from './modules.module.css';
import { Part } from './Part';
import { pageOf, type Row } from './rows';
import { Usage } from './Usage';
import { Versions } from './Versions';

interface Props {
  row: Row;
  whyNot: string;
  switchTo: (on: boolean) => void;
  changed: () => void;
}

export function Detail({ close, ...props }: Props & { close: () => void }) {
  const { module: m } = props.row;
  return (
    <div className={css.detail}>
      <header>
        <h2 className="cut" title={visible(m.name)}>
          {visible(m.title || m.name)}
        </h2>
        <Tooltip label={<>Open its page <Keys keys="Enter" /></>}>
          <ActionIcon aria-label="Open the module’s page" renderRoot={(p) => <Link {...p} {...pageOf(m)} />}>
            <IconArrowsMaximize size={15} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <p className="mono dim">{visible(m.name)}</p>
      <What {...props} />
      <Did {...props} />
    </div>
  ); // prettier-ignore
}

// What is what stands on the left of its page, and first in the pane.
export function What({ row, whyNot, switchTo, changed }: Props) {
  const { module: m } = row;
  return (
    <>
      <div className={css.controls}>
        <Switch label={m.enabled ? 'On' : 'Off'} checked={m.enabled} disabled={whyNot !== ''} title={whyNot} onChange={(e) => switchTo(e.currentTarget.checked)} />
        {whyNot && <span className="dim">{whyNot}</span>}
      </div>
      {m.resting && <p className={css.suspended}>It has used up a quota: {visible(m.resting)}</p>}
      {m.use?.undone && <p className={css.suspended}>The host went back to this version: {visible(m.use.undone)}</p>}
      {m.use?.suspended && <p className={css.suspended}>The host switched it off: {visible(m.use.suspended)}</p>}
      <Facts row={row} />
      <Part title="Conformance to the module ABI">
        <ConformanceFacts conformance={m.conformance} />
      </Part>
      <Grants row={row} />
      <Part title="Versions">
        <Versions row={row} whyNot={whyNot} changed={changed} />
      </Part>
      <Runs row={row} />
    </>
  );
}

// Did is what came of it.
export function Did({ row }: Props) {
  const { use } = row.module;
  return (
    <>
      <Usage row={row} />
      <Cases row={row} />
      <Failures row={row} />
      {use?.lastError && (
        <Part title="Last error">
          <div className={css.text} tabIndex={0} role="region" aria-label="Last error">
            <RawText text={use.lastError} lines limit={4_000} />
          </div>
        </Part>
      )}
      <Log row={row} />
    </>
  );
}
