// The first lines of the page: what, who and when; what can be done.

import { Button, Menu } from '@mantine/core';
import { IconArrowLeft, IconDots, IconDownload, IconTerminal2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { useSession } from '../app/session';
import { isCancelled } from '../api/errors';
import { hostOf } from '../event';
import { Except } from '../rules';
import { CommandButton } from '../triage/CommandButton';
import { type Asking, Dialogs } from '../triage/Dialogs';
import { Age } from '../ui/Age';
import { clock, count, plural } from '../ui/age';
import { Badge, OrganizationName } from '../ui/Badge';
import { Keys } from '../ui/Keys';
import { failed, notice } from '../ui/notice';
import { Severity } from '../ui/Severity';
import { visible } from '../ui/text';
import { commandsOf } from './commands';
import { aboutOf, keyOf, kindTitles, namedOf, othersOf } from './entities';
import { commandFor, download } from './export';
import { headlineParts } from './headline';
import css from './incident.module.css';
import { IncidentLink } from './IncidentLink';
import { MergeInto } from './MergeInto';
import type { IncidentPage, Loaded } from './useIncidentPage';

export function Headline({ page, loaded: { data, row } }: { page: IncidentPage; loaded: Loaded }) {
  const { incident } = row;
  return (
    <header className={css.head}>
      <div className={css.bar}>
        <Link to="/queue" className={css.back} title="Back to the queue (g q)">
          <IconArrowLeft size={15} aria-hidden="true" />
          Queue
        </Link>
        <Severity value={row.severity} />
        <Badge tone={row.state === 'resolved' ? 'ok' : row.state === 'acknowledged' ? 'accent' : 'warn'}>{row.state}</Badge>
        {incident.verdict && <Badge>{incident.verdict.replaceAll('_', ' ')}</Badge>}
        <span className={css.spring} />
        <Commands page={page} loaded={{ data, row }} />
      </div>
      <Title text={data.explanation?.headline || row.title} />
      <Facts page={page} loaded={{ data, row }} />
      {incident.mergedInto && (
        <p className={css.merged}>
          Merged into <IncidentLink id={incident.mergedInto} />, which goes on
        </p>
      )}
    </header>
  );
}

const long = 120; // characters of a headline from which on it is set smaller

// Title keeps moments in one piece, with what the clock of this browser says in their titles.
function Title({ text }: { text: string }) {
  return (
    <h1 data-long={text.length > long || undefined} title={text.length > long ? visible(text) : undefined}>
      {headlineParts(text).map((p, i) =>
        p.at ? (
          <time key={i} dateTime={new Date(p.at).toISOString()} title={clock(p.at)}>
            {p.text}
          </time>
        ) : (
          p.text
        ),
      )}
    </h1>
  );
}

const mostFacts = 4; // entities beside the title; the rest is in their view

function Facts({ page, loaded: { data, row } }: { page: IncidentPage; loaded: Loaded }) {
  const about = aboutOf(row.incident);
  const others = othersOf(page.related);
  const hosts = [...new Set(data.explanation?.parts.flatMap((p) => p.events.map(hostOf)).filter(Boolean))];
  const machine = !about.some((e) => e.kind === 'host') && hosts.length > 0;
  return (
    <dl className={css.facts}>
      <Fact name="Organization">
        <OrganizationName id={row.tenant} />
      </Fact>
      {machine && (
        <Fact name="Host">
          <span className="mono">{visible(hosts[0]!)}</span>
          {hosts.length > 1 && <span className="dim"> +{hosts.length - 1}</span>}
        </Fact>
      )}
      {namedOf(about, machine ? mostFacts - 1 : mostFacts).map((e) => {
        const n = others.get(keyOf(e))?.length ?? 0;
        return (
          <Fact key={keyOf(e)} name={kindTitles[e.kind] ?? e.kind}>
            <span className="mono cut" title={`${e.field}: ${visible(e.value)}`}>
              {visible(e.value)}
            </span>
            {n > 0 && (
              <Link to="." search={((s: object) => ({ ...s, view: 'entities', entity: keyOf(e) })) as never} title={`${plural(n, 'other incident')} of this ${e.kind}`}>
                +{n}
              </Link>
            )}
          </Fact>
        );
      })}
      <Fact name="Last seen">
        <Age at={row.lastSeen} ago />
      </Fact>
      {row.count > 1 && (
        <Fact name="Fired">
          <span className="number" title={`Since ${clock(row.firstSeen)}`}>
            {count(row.count)} times
          </span>
        </Fact>
      )}
      <Fact name="Assignee">{row.incident.assignee ? visible(row.incident.assignee) : <span className="dim">nobody</span>}</Fact>
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const primary = ['a', 'e', 'c', 'n', 'x'];

function Commands({ page, loaded: { row } }: { page: IncidentPage; loaded: Loaded }) {
  const { user, whyNot } = useSession();
  const [asking, setAsking] = useState<Asking>();
  const [merging, setMerging] = useState(false);
  const [excepting, setExcepting] = useState(false);
  const commands = commandsOf(row, page, user.name, { whyNoCase: whyNot('modules.change'), whyNoShared: whyNot('global.change'), ask: setAsking, merge: () => setMerging(true), except: () => setExcepting(true) });
  const refused = whyNot('incidents.work');
  useHotkeys('Incident', [
    ...commands.map((c) => ({
      keys: c.keys,
      label: c.label,
      run: () => {
        const why = refused || c.whyNot;
        if (why) notice(why);
        else c.run();
      },
    })),
    { keys: 'u', label: 'Undo', run: () => page.undo() },
  ]);
  return (
    <div className={css.commands} role="toolbar" aria-label="What to do with the incident">
      {commands.filter((c) => primary.includes(c.keys)).map((c) => (
        <CommandButton key={c.keys} command={c} />
      ))}
      <Menu width={310}>
        <Menu.Target>
          <Button variant="default" aria-label="More to do with the incident">
            <IconDots size={15} aria-hidden="true" />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {commands.filter((c) => !primary.includes(c.keys)).map((c) => (
            <Menu.Item key={c.keys} disabled={Boolean(refused || c.whyNot)} title={refused || c.whyNot} rightSection={<Keys keys={c.keys} />} onClick={c.run}>
              {c.label}
            </Menu.Item>
          ))}
          <Menu.Item disabled={Boolean(refused)} rightSection={<Keys keys="u" />} onClick={() => page.undo()}>
            Undo
          </Menu.Item>
          <Menu.Divider />
          <TakeAway id={page.id} />
        </Menu.Dropdown>
      </Menu>
      <Dialogs asking={asking} close={() => setAsking(undefined)} desk={{ act: page.act, focus: () => {} }} />
      <MergeInto opened={merging} close={() => setMerging(false)} row={row} related={page.related} act={page.act} />
      <Except opened={excepting} close={() => setExcepting(false)} rule={row.incident.rule} name={row.incident.ruleName || row.incident.rule} tenant={row.tenant} incident={{ id: row.id, title: row.title }} />
    </div>
  );
}

function TakeAway({ id }: { id: string }) {
  const copy = () =>
    navigator.clipboard
      .writeText(commandFor(id, location.origin))
      .then(() => notice('The command is copied: it computes the incident again from its records and compares it, byte for byte.'))
      .catch((e: unknown) => failed('Copy the command', e));
  const take = () => {
    notice('The export is being made. It goes to your downloads.');
    download(id, new AbortController().signal)
      .then(() => notice('Exported. “vedette replay FILE.tar” checks it on any machine.'))
      .catch((e: unknown) => isCancelled(e) || failed('Export the incident', e));
  };
  return (
    <>
      <Menu.Item leftSection={<IconTerminal2 size={14} aria-hidden="true" />} onClick={() => void copy()}>
        Copy as command
      </Menu.Item>
      <Menu.Item leftSection={<IconDownload size={14} aria-hidden="true" />} onClick={take}>
        Download the export (tar)
      </Menu.Item>
    </>
  );
}
