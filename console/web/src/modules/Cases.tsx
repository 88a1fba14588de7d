// The cases of a rule: false positives on whose events a later version must not fire.

import { useQuery } from '@connectrpc/connect-query';
import { Button } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { admission } from '../api/clients';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { AdmissionService, type Case } from '../gen/vedette/v1/admission_pb';
import { millis } from '../live/row';
import { Age } from '../ui/Age';
import { count } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { failed, notice } from '../ui/notice';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import css from './modules.module.css';
import { Part } from './Part';
import type { Row } from './rows';

export function Cases({ row: { module: m } }: { row: Row }) {
  const { can, whyNot } = useSession();
  const { selected } = useOrganization();
  const tenant = m.tenant || selected?.id || 0;
  const own = useCases(m.name, tenant, tenant !== 0 && can('modules.change'));
  const shared = useCases(m.name, 0, can('global.change'));
  if (m.kind !== 'rule') return null;
  const cases = [...own.cases, ...shared.cases];
  const error = own.error ?? shared.error;
  const remove = async (c: Case) => {
    const refetch = () => Promise.all([own.refetch(), shared.refetch()]);
    try {
      await admission.deleteCase({ tenant: c.tenant, id: c.id });
      const undo = () => admission.saveCase({ incident: c.incident, shared: c.tenant === 0 }).then(refetch).catch((e: unknown) => failed('Undo', e)); // prettier-ignore
      notice(`The case “${visible(c.title)}” is removed.`, () => void undo());
    } catch (e) {
      failed('Remove the case', e);
    }
    await refetch();
  };
  return (
    <Part title={`Cases ${cases.length > 0 ? count(cases.length) : ''}`}>
      {whyNot('modules.change') && <p className="dim">{whyNot('modules.change')}</p>}
      {error && <ErrorBox error={error} doing="List the cases" />}
      {!whyNot('modules.change') && !error && cases.length === 0 && <p className="dim">None. Close an incident of this rule as a false positive (key f) and its events become one: later versions that fire on them are refused.</p>}
      {cases.length > 0 && (
        <ul className={css.cases} aria-label="Cases that later versions must not fire on">
          {cases.map((c) => (
            <li key={String(c.id)}>
              <Link to="/incidents/$id" params={{ id: c.incident }}>
                {visible(c.title)}
              </Link>
              <Button variant="subtle" size="compact-xs" leftSection={<IconTrash size={13} aria-hidden="true" />} aria-label={`Remove the case ${visible(c.title)}`} onClick={() => void remove(c)}>
                Remove
              </Button>
              <small className="dim">
                {c.tenant ? <OrganizationName id={c.tenant} /> : <Badge>all organizations</Badge>} <span>{visible(c.who)}, <Age at={millis(c.at)} ago /></span>
              </small>
            </li>
          ))}
        </ul>
      )}
    </Part>
  ); // prettier-ignore
}

const none: Case[] = [];

function useCases(module: string, tenant: number, enabled: boolean) {
  const { data, error, refetch } = useQuery(AdmissionService.method.listCases, { tenant, module }, { enabled, retry: false, staleTime: 0 });
  return { cases: data?.cases ?? none, error, refetch };
}
