// One module of the catalogue: its versions, and what is known of one of them.

import { useQuery } from '@connectrpc/connect-query';
import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconDownload, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useSession } from '../app/session';
import { type GetPackageResponse, type RegistryPackage, RegistryService } from '../gen/vedette/v1/registry_pb';
import { bytes, plural } from '../ui/age';
import { Badge } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { Keys } from '../ui/Keys';
import { RawText } from '../ui/RawText';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './catalogue.module.css';
import { ConformanceFacts } from './Conformance';
import { type Entry, installing, versionOf, withdrawn } from './packages';
import { Statements } from './Statements';
import { StandingBadge, TrustBadge, Verdict } from './Verdict';

interface Props {
  entry: Entry;
  // Whose registry it is looked at as; 0 for what all share.
  tenant: number;
  close: () => void;
}

export function Detail({ entry, tenant, close }: Props) {
  const [chosen, choose] = useState(entry.newest.digest);
  const version = entry.versions.find((p) => p.digest === chosen) ?? entry.newest;
  const { data, error, refetch } = useQuery(RegistryService.method.getPackage, { tenant, reference: version.digest }, { enabled: !version.remote, retry: false });
  const p = data?.package ?? version;
  return (
    <div className={css.detail}>
      <header>
        <h2 className="cut" title={visible(entry.module)}>
          {visible(p.title || entry.module)}
        </h2>
        {p.kind && <Badge>{p.kind}</Badge>}
        <Tooltip label={<>Close <Keys keys="Escape" /></>}>
          <ActionIcon aria-label="Close the details" onClick={close}>
            <IconX size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <p className="mono dim">{visible(p.reference)}</p>
      <Actions entry={entry} version={p} tenant={tenant} />
      <Verdict of={p} />
      {error && <ErrorBox error={error} doing="Load the package" retry={() => void refetch()} />}
      {version.remote && <p className="dim">The signed index of the remote registry lists it. What it is and asks for is read when it is fetched: the wizard does so before anything is installed.</p>}
      <section>
        <h3>Versions</h3>
        <Versions entry={entry} chosen={version.digest} choose={choose} />
      </section>
      {data && <Content of={data} version={p} />}
    </div>
  ); // prettier-ignore
}

function Actions({ entry, version: p, tenant }: { entry: Entry; version: RegistryPackage; tenant: number }) {
  const { whyNot } = useSession();
  const why = whyNot(tenant ? 'modules.change' : 'global.change') || (p.shipped ? 'What ships is installed with the host.' : p.running ? 'It runs.' : withdrawn(p) ? `It is ${p.standing}: ${p.reason}` : '');
  const at = entry.versions.findIndex((v) => v.digest === p.digest);
  const runs = entry.running ? entry.versions.indexOf(entry.running) : -1;
  const word = runs >= 0 && at < runs ? 'Update to' : 'Install';
  return (
    <div className={css.actions}>
      {why ? (
        <Button disabled title={visible(why)} leftSection={<IconDownload size={14} aria-hidden="true" />}>
          {word} {visible(versionOf(p))}
        </Button>
      ) : (
        <Button leftSection={<IconDownload size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} {...installing(p.reference, tenant)} />}>
          {word} {visible(versionOf(p))}
        </Button>
      )}
      <span className="dim">{why ? visible(why) : 'Nothing runs before you have seen what it asks for and what it would change.'}</span>
    </div>
  );
}

function Versions({ entry, chosen, choose }: { entry: Entry; chosen: string; choose: (digest: string) => void }) {
  return (
    <ul className={css.versions}>
      {entry.versions.map((v) => (
        <li key={v.digest}>
          <button type="button" aria-pressed={v.digest === chosen} onClick={() => choose(v.digest)}>
            <strong className="number">{visible(versionOf(v))}</strong>
            <span>
              {v.channels.map((c) => <Badge key={c} tone="accent">{visible(c)}</Badge>)} <StandingBadge standing={v.standing} reason={v.reason} /> {v.remote && <TrustBadge of={v} />}
            </span>
            <small className="dim">{v.running ? 'runs' : v.runs > 0 ? `runs for ${plural(v.runs, 'organization')}` : ''}</small>
          </button>
        </li>
      ))}
    </ul>
  ); // prettier-ignore
}

function Content({ of: data, version: p }: { of: GetPackageResponse; version: RegistryPackage }) {
  const about = described(data.manifest);
  return (
    <>
      {about.description && <p>{visible(about.description)}</p>}
      <dl className={css.facts}>
        <dt>Digest</dt>
        <dd>
          <span className="mono cut" title={p.digest}>{p.digest}</span>
          <CopyButton text={p.digest} what="the digest" />
        </dd>
        {p.reason && (
          <>
            <dt>Index</dt>
            <dd>
              {visible(p.standing)}: {visible(p.reason)}
              {p.replacement && <> (use <span className="mono">{visible(p.replacement)}</span>)</>}
            </dd>
          </>
        )}
        {about.license && (
          <>
            <dt>Licence</dt>
            <dd>{visible(about.license)}</dd>
          </>
        )}
        <dt>Size</dt>
        <dd className="number">
          {bytes(Number(data.bytes))}, {plural(data.vectors.length, 'file')} of its own tests
        </dd>
      </dl>
      <section>
        <h3>Asks for</h3>
        {data.asks.length === 0 && <p className="dim">Nothing: it sees what it is given and no more.</p>}
        <ul className={css.asks}>
          {data.asks.map((a) => (
            <li key={a.id}>
              <span className="mono">{visible(a.id)}</span> {a.targets.length > 0 && <span className="dim">{visible(a.targets.join(', '))}</span>}
              <small>{visible(a.reason)}</small>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h3>Conformance to the module ABI</h3>
        <ConformanceFacts conformance={p.conformance} />
      </section>
      <section>
        <h3>What is said about it</h3>
        <Statements list={data.statements} shipped={p.shipped} />
      </section>
      {data.readme && (
        <section>
          <h3>README.md</h3>
          <div className={css.text} tabIndex={0} role="region" aria-label="README.md">
            <RawText text={data.readme} lines />
          </div>
        </section>
      )}
      <section>
        <h3>Manifest</h3>
        <div className={css.text} tabIndex={0} role="region" aria-label="Manifest">
          <RawText text={about.text} lines />
        </div>
      </section>
    </>
  ); // prettier-ignore
}

// described reads what a manifest says for people; of one that cannot be read its text remains.
function described(manifest: string): { description: string; license: string; text: string } {
  try {
    const m = JSON.parse(manifest) as Record<string, unknown>;
    const word = (name: string) => (typeof m[name] === 'string' ? m[name] : '');
    return { description: word('description'), license: word('license'), text: JSON.stringify(m, undefined, 2) };
  } catch {
    return { description: '', license: '', text: manifest };
  }
}
