import { Button, Group, NumberInput, PasswordInput, Select, Switch, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { lists } from '../api/clients';
import type { Feed, TaxiiCollection } from '../gen/vedette/v1/list_pb';
import { failed, notice } from '../ui/notice';
import { visible } from '../ui/text';
import { Ask, durationOf, spanOf, Whose } from './Ask';

const feedKinds = [
  { value: 'taxii', label: 'TAXII 2.1 collection' },
  { value: 'misp', label: 'MISP feed' },
  { value: 'file', label: 'File: CSV, list, STIX or MISP' },
];

const spanText = (seconds: bigint | undefined): string => {
  const n = Number(seconds ?? 0n);
  if (n === 0) return '';
  return n % 86_400 === 0 ? `${n / 86_400}d` : n % 3_600 === 0 ? `${n / 3_600}h` : `${Math.round(n / 60)}m`;
};

interface Props {
  // To be changed, or empty for one that is made; undefined while there is nothing to ask.
  feed: Partial<Feed> | undefined;
  close: () => void;
  done: () => Promise<unknown>;
}

// FeedDialog asks where indicators are fetched from. Of a TAXII server it shows the collections to choose from.
export function FeedDialog({ feed, close, done }: Props) {
  const [kind, setKind] = useState('taxii');
  const [url, setURL] = useState('');
  const [collection, setCollection] = useState('');
  const [found, setFound] = useState<TaxiiCollection[]>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setKind(feed?.kind ?? 'taxii');
    setURL(feed?.url ?? '');
    setCollection(feed?.collection ?? '');
    setFound(undefined);
  }, [feed]);
  const old = feed?.name !== undefined;
  const discover = async (form: HTMLFormElement | null) => {
    const data = new FormData(form ?? undefined);
    setBusy(true);
    try {
      const { collections } = await lists.discoverTaxii({ url, tenant: Number(data.get('tenant') ?? 0), username: String(data.get('username') ?? ''), secret: String(data.get('secret') ?? '') });
      setFound(collections);
      if (collections.length === 0) notice('The server shows no collection.');
    } catch (e) {
      failed('Ask for the collections', e);
    }
    setBusy(false);
  };
  return (
    <Ask
      opened={feed !== undefined}
      title={old ? 'Change the feed' : 'Add a feed'}
      close={close}
      send={async (field) => {
        const ttl = durationOf(spanOf(field('ttl')));
        const every = durationOf(spanOf(field('every')));
        const name = old ? feed!.name! : field('name').trim();
        await lists.putFeed({
          feed: {
            name, tenant: Number(field('tenant')), kind, url: url.trim(), collection: kind === 'taxii' ? collection.trim() : '', username: field('username').trim(), secret: field('secret'),
            confidence: Number(field('confidence') || 0), disabled: field('on') === '', ...(every ? { every } : {}), ...(ttl ? { ttl } : {}),
          },
        });
        notice(`${name} is being fetched.`);
        await done();
      }}
    >
      <TextInput label="Name" name="name" description="Letters a to z, digits and hyphens: of the set that it fills" defaultValue={feed?.name ?? ''} disabled={old} required withAsterisk={false} data-autofocus />
      <Whose {...(old ? { fixed: feed?.tenant } : {})} />
      <Select label="What it is" data={feedKinds} value={kind} onChange={(v) => v && setKind(v)} allowDeselect={false} />
      <TextInput label="URL" type="url" placeholder={kind === 'taxii' ? 'https://server.example/taxii2/' : kind === 'misp' ? 'https://server.example/feed/' : 'https://server.example/list.csv'} value={url} onChange={(e) => setURL(e.currentTarget.value)} required withAsterisk={false} />
      <Group grow align="start">
        <TextInput label="User name" name="username" defaultValue={feed?.username ?? ''} autoComplete="off" />
        <PasswordInput label="Password or token" name="secret" description={feed?.hasSecret ? 'Empty: the one that is kept' : 'Without a user name it is a token'} autoComplete="new-password" />
      </Group>
      {kind === 'taxii' && (
        <Group align="end" wrap="nowrap">
          {found && found.length > 0 ? (
            <Select
              style={{ flex: 1 }}
              label="Collection"
              data={found.map((c) => ({ value: `${c.apiRoot} ${c.id}`, label: `${visible(c.title || c.id)}${c.canRead ? '' : ' (may not be read)'}`, disabled: !c.canRead }))}
              onChange={(v) => {
                const [root, id] = (v ?? '').split(' ');
                setURL(root ?? '');
                setCollection(id ?? '');
              }}
            />
          ) : (
            <TextInput style={{ flex: 1 }} label="Collection" description="Its id, of the API root above" value={collection} onChange={(e) => setCollection(e.currentTarget.value)} required withAsterisk={false} />
          )}
          <Button variant="default" loading={busy} disabled={url === ''} onClick={(e) => void discover(e.currentTarget.form)}>
            Show collections
          </Button>
        </Group>
      )}
      <Group grow align="start">
        <TextInput label="Fetched every" name="every" defaultValue={spanText(feed?.every?.seconds) || '1h'} description="From 1m to 30d" />
        <TextInput label="Counts for" name="ttl" defaultValue={spanText(feed?.ttl?.seconds)} description="Where the source says nothing; empty: for good" />
        <NumberInput label="Confidence" name="confidence" min={0} max={100} defaultValue={feed?.confidence || ''} description="Where the source says nothing" />
      </Group>
      <Switch label="Fetch it" name="on" defaultChecked={!feed?.disabled} />
    </Ask>
  ); // prettier-ignore
}
