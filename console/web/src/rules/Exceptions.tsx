// What an organization keeps from a rule.

import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { rules } from '../api/clients';
import { useSession } from '../app/session';
import type { RuleException } from '../gen/vedette/v1/rule_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { clock } from '../ui/age';
import { failed, notice } from '../ui/notice';
import { RawText } from '../ui/RawText';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import type { ViewProps } from './Detail';
import { Except } from './Except';
import css from './rules.module.css';
import { forgetRules } from './useRules';

export function Exceptions({ data, row, tenant }: ViewProps) {
  const { whyNot } = useSession();
  const [adding, add] = useState(false);
  const why = whyNot('modules.change') || (tenant === 0 ? 'An exception is an organization’s own: choose one.' : '');
  const remove = async (e: RuleException) => {
    const back = () => rules.addException({ rule: row.rule.id, tenant, reason: e.reason, where: e.where, ...(e.until ? { until: e.until } : {}) });
    try {
      await rules.removeException({ id: e.id, rule: row.rule.id, tenant });
      notice('The exception is taken away.', () => void back().then(forgetRules, (error) => failed('Undo', error)));
    } catch (error) {
      failed('Take the exception away', error);
    }
    await forgetRules();
  };
  return (
    <div className={css.stack}>
      <div className={css.over}>
        <span className="dim">{tenant ? 'Events that take no part in the rule for this organization. The rule itself stays as it is.' : 'Choose an organization to see its exceptions.'}</span>
        <Button variant="default" leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== ''} title={why} onClick={() => add(true)}>
          Add
        </Button>
      </div>
      {data.exceptions.length === 0 && tenant !== 0 && <EmptyState title="No exceptions">From an incident of it, “Except this…” proposes one in two clicks.</EmptyState>}
      <ul className={css.exceptions}>
        {data.exceptions.map((e) => (
          <li key={String(e.id)}>
            <div>
              <strong>{visible(e.reason)}</strong>
              <RawText text={e.where} lines />
              <small className="dim">
                {visible(e.who)}, <Age at={millis(e.at)} ago />
                {e.until ? <> · until <time dateTime={new Date(millis(e.until)).toISOString()}>{clock(millis(e.until))}</time></> : ' · until somebody takes it away'}
              </small>
            </div>
            <Tooltip label="Take it away">
              <ActionIcon aria-label={`Take away: ${visible(e.reason)}`} disabled={why !== ''} onClick={() => void remove(e)}>
                <IconTrash size={15} />
              </ActionIcon>
            </Tooltip>
          </li>
        ))}
      </ul>
      <Except opened={adding} rule={row.rule.id} name={row.rule.name} tenant={tenant} close={() => add(false)} />
    </div>
  ); // prettier-ignore
}
