// Watch lists and object groups: values that rules look for by name, and that rules can write.

import { useQuery } from '@connectrpc/connect-query';
import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { IconListCheck, IconPlus, IconSearch } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { lists } from '../api/clients';
import { useHotkeys } from '../app/keys';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { type List, ListService } from '../gen/vedette/v1/list_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Page, Spring, useTitle } from '../ui/Layout';
import { notice } from '../ui/notice';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { type Column, VirtualTable } from '../ui/VirtualTable';
import { Ask, Whose } from './Ask';
import { Kinds } from './Kinds';
import css from './tables.module.css';
import { groups, groupWord, kinds, kindWord } from './words';

const defaults = { text: '' };
const keyOf = (l: List) => `${l.tenant} ${l.name}`;
const entriesOf = (l: Pick<List, 'tenant' | 'name'>) => ({ to: '/tables/entries', search: { of: String(l.tenant), name: l.name } as never }) as const;

export default function Lists() {
  useTitle('Lists');
  const [params, set] = useParams(defaults);
  const { tenants } = useOrganization();
  const { whyNot } = useSession();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(ListService.method.listLists, { tenants }, { refetchInterval: 10_000 });
  const [active, setActive] = useState<string>();
  const [asked, ask] = useState<Partial<List>>();
  const why = whyNot('modules.change');
  const rows = useMemo(() => {
    const word = params.text.trim().toLowerCase();
    return (data?.lists ?? []).filter((l) => word === '' || `${l.name} ${l.group} ${l.description} ${l.readers.join(' ')} ${l.writers.join(' ')}`.toLowerCase().includes(word));
  }, [data, params.text]);
  const open = (l: List) => (l.missing ? why === '' && ask(l) : void navigate(entriesOf(l)));
  const step = (by: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, rows.findIndex((l) => keyOf(l) === active) + by))];
    if (next) setActive(keyOf(next));
  };
  useHotkeys('Lists', [
    { keys: 'j', label: 'Next list', run: () => step(1) },
    { keys: 'k', label: 'List before', run: () => step(-1) },
    { keys: 'Enter', label: 'Show its values', run: () => rows.filter((l) => keyOf(l) === active).forEach(open) },
    { keys: 'a', label: 'Make a list', run: () => why === '' && ask({}) },
  ]);
  const make = (
    <Button leftSection={<IconPlus size={14} aria-hidden="true" />} disabled={why !== ''} title={why} aria-haspopup="dialog" aria-expanded={asked !== undefined} onClick={() => ask({})}>
      Make a list
    </Button>
  );
  return (
    <Page
      flush
      title="Lists"
      actions={
        <>
          <Kinds shown="/tables/lists" />
          <TextInput aria-label="Filter lists" placeholder="Name, group or rule" leftSection={<IconSearch size={14} aria-hidden="true" />} value={params.text} onChange={(e) => set({ text: e.currentTarget.value })} />
          <Spring />
          {make}
        </>
      }
    >
      {error && !data ? (
        <div className={css.error}>
          <ErrorBox error={error} doing="Load the lists" retry={() => void refetch()} />
        </div>
      ) : (
        <VirtualTable
          label="Lists"
          rows={rows}
          keyOf={keyOf}
          columns={columns}
          active={active}
          onActive={setActive}
          onOpen={open}
          empty={
            isPending ? undefined : params.text ? (
              <EmptyState title="No list matches">Change the filter to see the others.</EmptyState>
            ) : (
              <EmptyState icon={<IconListCheck size={28} stroke={1.4} aria-hidden="true" />} title="There is no list yet" actions={make}>
                A watch list or an object group: rules look for its values by name, and can write to it.
              </EmptyState>
            )
          }
        />
      )}
      <Ask
        opened={asked !== undefined}
        title="Make a list"
        close={() => ask(undefined)}
        send={async (field) => {
          const name = field('name').trim();
          const tenant = Number(field('tenant'));
          await lists.putList({ name, tenant, kind: field('kind'), group: field('group'), description: field('description').trim() });
          notice(`${name} is there, and empty.`);
          void navigate(entriesOf({ tenant, name }));
        }}
      >
        <TextInput label="Name" name="name" description="Letters a to z, digits and hyphens: rules call it by this" defaultValue={asked?.name ?? ''} required withAsterisk={false} data-autofocus />
        <Whose {...(asked?.tenant === undefined ? {} : { fixed: asked.tenant })} />
        <Select label="What it holds" name="group" data={groups.map(({ value, label }) => ({ value, label }))} defaultValue="" allowDeselect={false} />
        <Select label="Values are compared" name="kind" data={kinds.map(({ value, label, about }) => ({ value, label: `${label}: ${about}` }))} defaultValue="nocase" allowDeselect={false} />
        <Textarea label="What it is for" name="description" autosize minRows={2} />
      </Ask>
    </Page>
  ); // prettier-ignore
}

// waits says that a list does not exist only because no rule has written to it yet.
const waits = (l: List) => l.missing && l.writers.length > 0;
const ids = (list: readonly string[]) => visible(list.join(', '));

const columns: Column<List>[] = [
  { id: 'name', header: 'List', width: 'minmax(150px, 1.2fr)', cell: (l) => (l.missing ? <span className={waits(l) ? css.name : css.warn} title={waits(l) ? 'It is made when one of the rules that write to it does' : 'Rules name it, and nobody has made it: they find nothing in it'}>{visible(l.name)}</span> : <Link {...entriesOf(l)} tabIndex={-1} className={css.name} title={visible(l.description)}>{visible(l.name)}</Link>) },
  { id: 'org', header: 'For', width: 'minmax(140px, 0.8fr)', cell: (l) => (l.tenant ? <OrganizationName id={l.tenant} /> : <Badge>all organizations</Badge>) },
  { id: 'group', header: 'Holds', width: '124px', cell: (l) => (waits(l) ? <Badge>not yet written</Badge> : l.missing ? <Badge tone="warn">does not exist</Badge> : <span className="dim">{groupWord(l.group)}</span>) },
  { id: 'kind', header: 'Compared', width: '128px', cell: (l) => <span className="dim">{l.missing ? '' : kindWord(l.kind)}</span> },
  { id: 'values', header: 'Values', width: '84px', end: true, cell: (l) => (l.missing ? '' : count(l.values)) },
  { id: 'readers', header: 'Read by', width: 'minmax(120px, 1fr)', cell: (l) => (l.readers.length > 0 ? <span className="mono" title={ids(l.readers)}>{ids(l.readers)}</span> : <span className="dim">no rule</span>) },
  { id: 'writers', header: 'Written by', width: 'minmax(120px, 1fr)', cell: (l) => (l.writers.length > 0 ? <span className="mono" title={ids(l.writers)}>{ids(l.writers)}</span> : <span className="dim">people</span>) },
  { id: 'set', header: 'Changed', width: 'minmax(120px, 0.8fr)', end: true, cell: (l) => (l.missing ? '' : <span className="dim"><Age at={millis(l.changedAt)} ago />{l.changedBy && ` by ${visible(l.changedBy)}`}</span>) },
]; // prettier-ignore
