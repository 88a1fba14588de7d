// Who may do what: users, organizations, the tokens that records are sent with, and where incidents are sent.

import { Tabs } from '@mantine/core';
import { useParams } from '../app/params';
import { Page, useTitle } from '../ui/Layout';
import css from './access.module.css';
import { Organizations } from './Organizations';
import { Tokens } from './Tokens';
import { Users } from './Users';
import { Webhooks } from './Webhooks';

const defaults = { show: 'users' };
const tabs = [
  { id: 'users', title: 'Users', Content: Users },
  { id: 'organizations', title: 'Organizations', Content: Organizations },
  { id: 'tokens', title: 'Ingest tokens', Content: Tokens },
  { id: 'webhooks', title: 'Webhooks', Content: Webhooks },
];

export default function Access() {
  useTitle('Access');
  const [params, set] = useParams(defaults);
  const shown = tabs.find((t) => t.id === params.show) ?? tabs[0]!;
  return (
    <Page title="Access">
      <Tabs className={css.tabs} value={shown.id} onChange={(v) => v && set({ show: v })} keepMounted={false}>
        <Tabs.List>
          {tabs.map((t) => (
            <Tabs.Tab key={t.id} value={t.id}>
              {t.title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={shown.id} pt="md">
          <shown.Content />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
