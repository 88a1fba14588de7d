// One rule beside the list.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, Switch, Tabs, Tooltip } from '@mantine/core';
import { IconEdit, IconListSearch, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ComponentType, useMemo } from 'react';
import { useSession } from '../app/session';
import { type GetRuleResponse, RuleService } from '../gen/vedette/v1/rule_pb';
import { Badge } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import { Severity } from '../ui/Severity';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { About } from './About';
import { Document } from './Document';
import { Exceptions } from './Exceptions';
import { Figures } from './Figures';
import { Learnt } from './Learnt';
import { editing, incidentsOf } from './links';
import { type Row, rowOf } from './rows';
import css from './rules.module.css';
import { useScope, useSwitch } from './useRules';
import { Versions } from './Versions';
import { languageOf } from './words';

export interface ViewProps {
  row: Row;
  data: GetRuleResponse;
  tenant: number;
}

interface View {
  readonly id: string;
  readonly label: string;
  readonly Body: ComponentType<ViewProps>;
  readonly count?: (d: GetRuleResponse) => number;
  readonly when?: (d: GetRuleResponse) => boolean;
}

const views: readonly View[] = [
  { id: 'about', label: 'About', Body: About },
  { id: 'document', label: 'Document', Body: Document },
  { id: 'figures', label: 'Figures', Body: Figures },
  { id: 'exceptions', label: 'Exceptions', Body: Exceptions, count: (d) => d.exceptions.length },
  { id: 'versions', label: 'Versions', Body: Versions, count: (d) => d.versions.length },
  { id: 'learnt', label: 'Learnt', Body: Learnt, when: (d) => /^\s*(baseline|first_seen)\s*:/m.test(d.text) },
];

interface Props {
  row: Row;
  view: string;
  show: (view: string) => void;
  close: () => void;
}

export function Detail({ row, view, show, close }: Props) {
  const { tenant, known } = useScope();
  const { rule } = row;
  const { data, error, refetch } = useQuery(RuleService.method.getRule, { id: rule.id, tenant }, { enabled: known, placeholderData: (old) => old });
  const whole = useMemo(() => (data?.rule ? rowOf(data.rule) : row), [data, row]); // the list leaves out what it does not show
  const offered = data ? views.filter((v) => !v.when || v.when(data)) : views.slice(0, 5);
  const shown = offered.find((v) => v.id === view) ?? offered[0]!;
  return (
    <div className={css.detail}>
      <header>
        <h2 title={visible(rule.name)}>{visible(rule.name)}</h2>
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className={css.line}>
        <Severity value={row.severity} />
        <Badge>{languageOf(rule)}</Badge>
        {rule.tenant !== 0 && <Badge tone="accent">own</Badge>}
        {rule.interpreted && <Badge tone="warn" title="The specification of its language leaves open what it means; LANGUAGE.md says how it is read.">interpreted</Badge>}
        <span className="mono dim cut" title={rule.id}>{visible(rule.id)}</span>
        <CopyButton text={rule.id} what="the rule’s id" />
      </div>
      <Actions row={row} editable={data?.editable ?? false} />
      {error && !data && <ErrorBox error={error} doing="Load the rule" retry={() => void refetch()} />}
      {data && (
        <Tabs value={shown.id} onChange={(v) => v && show(v)} keepMounted={false}>
          <Tabs.List>
            {offered.map((v) => (
              <Tabs.Tab key={v.id} value={v.id}>
                {v.label} {(v.count?.(data) ?? 0) > 0 && <span className="dim number">{v.count!(data)}</span>}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={shown.id} pt="md">
            <shown.Body row={whole} data={data} tenant={tenant} />
          </Tabs.Panel>
        </Tabs>
      )}
    </div>
  ); // prettier-ignore
}

function Actions({ row, editable }: { row: Row; editable: boolean }) {
  const { why, switchTo } = useSwitch();
  const { whyNot } = useSession();
  const { rule } = row;
  const reason = why();
  const refused = whyNot('modules.change');
  return (
    <div className={css.actions}>
      <Switch label={rule.enabled ? 'On' : 'Off'} checked={rule.enabled} disabled={reason !== ''} title={reason} onChange={(e) => void switchTo(rule, e.currentTarget.checked)} />
      <Button
        variant="default"
        leftSection={<IconEdit size={14} aria-hidden="true" />}
        disabled={refused !== ''}
        title={refused || (editable ? '' : 'It is another’s: a copy of your own would take its place')}
        {...(refused ? {} : { renderRoot: (props: object) => <Link {...props} {...editing(rule.id)} /> })}
      >
        {editable ? 'Edit' : 'Copy and edit'}
      </Button>
      <Button variant="default" leftSection={<IconListSearch size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} {...incidentsOf(rule.id)} />}>
        Incidents
      </Button>
    </div>
  );
}
