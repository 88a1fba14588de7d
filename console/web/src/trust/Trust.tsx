// Whom the host believes: its policy and an organization's own, the keys in them, and the signed index.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useOrganization } from '../app/organization';
import { useParams } from '../app/params';
import { useSession } from '../app/session';
import { type GetTrustPolicyResponse, RegistryService } from '../gen/vedette/v1/registry_pb';
import { RawText } from '../ui/RawText';
import { Page, Panel, Spring, useTitle } from '../ui/Layout';
import { EmptyState, ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { Edit } from './Edit';
import { Index } from './Index';
import css from './trust.module.css';
import { Running } from './Verdicts';

const defaults = { of: '' };

export default function Trust() {
  useTitle('Trust');
  const [params, set] = useParams(defaults);
  const { whyNot } = useSession();
  const { all, selected, name } = useOrganization();
  const why = whyNot('global.change');
  const own = selected?.id ?? all[0]?.id ?? 0;
  const tenant = params.of === 'host' || own === 0 ? 0 : own;
  return (
    <Page
      title="Trust"
      actions={
        <>
          <SegmentedControl
            aria-label="Whose policy"
            value={tenant === 0 ? 'host' : ''}
            onChange={(of) => set({ of })}
            data={[{ value: '', label: visible(name(own)) }, { value: 'host', label: 'The host' }]}
          />
          <span className="dim">{tenant === 0 ? 'What may run here at all' : 'What the organization installs itself: it narrows what the host allows'}</span>
          <Spring />
          <Button variant="default" leftSection={<IconArrowLeft size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/catalogue" />}>
            Catalogue
          </Button>
        </>
      }
    >
      {why ? <EmptyState title="Only an admin sees trust policies">{why}</EmptyState> : <Policy key={tenant} tenant={tenant} />}
    </Page>
  ); // prettier-ignore
}

function Policy({ tenant }: { tenant: number }) {
  const { data, error, refetch } = useQuery(RegistryService.method.getTrustPolicy, { tenant }, { refetchInterval: 30_000 });
  if (error && !data) return <ErrorBox error={error} doing="Load the trust policy" retry={() => void refetch()} />;
  if (!data) return null;
  return (
    <div className={css.trust}>
      {tenant === 0 ? <Host policy={data} /> : <Edit tenant={tenant} policy={data} changed={() => void refetch()} />}
      <div className={css.side}>
        <Index of={data} />
        <Keys of={data} />
      </div>
    </div>
  );
}

// Host is the host's own policy, which stands in its configuration.
function Host({ policy: p }: { policy: GetTrustPolicyResponse }) {
  const document = p.policy?.document ?? '';
  return (
    <div className={css.main}>
      <Panel title="The host’s policy">
        {p.refuseUnsigned && <p className={css.note}>modules.refuse_unsigned makes every scope strict.</p>}
        {document ? (
          <div className={css.text} tabIndex={0} role="region" aria-label="The host’s policy">
            <RawText text={document} lines />
          </div>
        ) : (
          <p>{p.refuseUnsigned ? 'Nothing but what ships is installed.' : 'Every module may be installed, signed or not, once somebody has granted what it asks for.'}</p>
        )}
        <p className="dim">It stands in the file that modules.trust_policy of the host’s configuration names, and is read when the host starts.</p>
      </Panel>
      <Running />
    </div>
  );
}

function Keys({ of: p }: { of: GetTrustPolicyResponse }) {
  return (
    <Panel title="Keys">
      {p.keys.length === 0 && <p className="dim">The policy names none.</p>}
      <ul className={css.keys}>
        {p.keys.map((k) => (
          <li key={k.name}>
            <strong>{visible(k.name)}</strong>
            <span className="mono dim cut" title={k.id}>
              {k.id}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
