// An event: its record with every byte's field in colour, what was read from it, and where to go from here.

import { useQuery } from '@connectrpc/connect-query';
import { Button, SegmentedControl, Skeleton, Tooltip } from '@mantine/core';
import { IconClockSearch, IconFileDiff, IconZoomQuestion } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useHotkeys } from '../app/keys';
import { type Event, EventService } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { WhyNot } from '../rules';
import { Age } from '../ui/Age';
import { clock, plural } from '../ui/age';
import { OrganizationName } from '../ui/Badge';
import { CopyButton } from '../ui/Copy';
import { RawText } from '../ui/RawText';
import { ErrorBox } from '../ui/States';
import { visible } from '../ui/text';
import { huesOf, matesOf, ownersOf, type Span, textOf } from './bytes';
import css from './event.module.css';
import { aroundOf, asJSON, type Filter, pretty } from './fields';
import { Fields } from './Fields';
import { differenceOf, sampleOf, searchAround, searchFor } from './links';
import { type Range, RawRecord } from './RawRecord';

interface Props {
  eventId: string;
  // What is known of it already: shown until the host has answered, or when it has it no more.
  event?: Event | undefined;
  // What + and − beside a field do; without it they open a search.
  onFilter?: (f: Filter) => void;
  // Shows the record and its fields side by side.
  wide?: boolean;
  // A rule that is asked first why it fired on the event.
  rule?: string;
}

const noSpans: readonly Span[] = [];

export function EventView({ eventId, event: known, onFilter, wide = false, rule = '' }: Props) {
  const { data, error, refetch } = useQuery(EventService.method.inspect, { id: eventId }, { staleTime: Infinity, retry: 1 });
  const event = data?.event ?? known;
  const raw = useMemo(() => data?.raw ?? new TextEncoder().encode(known?.raw ?? ''), [data, known]);
  if (!event) return error ? <ErrorBox error={error} doing="Load the event" retry={() => void refetch()} /> : <Loading />;
  return (
    <article className={css.event} data-wide={wide || undefined}>
      <Head event={event} parser={data?.parser} digest={data?.digest} rule={rule} />
      {error && <ErrorBox error={error} doing="Find which bytes each field was read from" retry={() => void refetch()} />}
      {data?.note && <p className={css.note}>{visible(data.note)}.</p>}
      <Body event={event} raw={raw} spans={data?.spans ?? noSpans} parsed={data ? data.parser !== '' : undefined} onFilter={onFilter} />
    </article>
  );
}

const Loading = () => (
  <div className={css.event} aria-busy="true" aria-label="The event is loading">
    <Skeleton height={18} width="60%" />
    <Skeleton height={90} />
    <Skeleton height={240} />
  </div>
);

function Head({ event, parser, digest, rule }: { event: Event; parser: string | undefined; digest: string | undefined; rule: string }) {
  const at = millis(event.time);
  const around = aroundOf(event.fields);
  const difference = differenceOf(event.tenant, event.fields);
  return (
    <header className={css.head}>
      <dl>
        <dt>Time</dt>
        <dd>
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>{' '}
          <span className="dim">
            <Age at={at} ago />
          </span>
        </dd>
        <dt>Organization</dt>
        <dd>
          <OrganizationName id={event.tenant} />
        </dd>
        <dt>Read by</dt>
        <dd title={digest ? `Digest ${digest}` : undefined}>
          {parser === undefined ? <span className="dim">…</span> : parser ? <span className="mono">{visible(parser)}</span> : 'no parser'}
        </dd>
      </dl>
      <div className={css.ways}>
        <Tooltip label={`Events of ${visible(around.what)} from 15 minutes before to 15 minutes after`}>
          <Button
            variant="default"
            leftSection={<IconClockSearch size={14} aria-hidden="true" />}
            renderRoot={(props) => <Link {...props} to="/search" search={searchAround(event.fields, at) as never} />}
          >
            Search around ±15 min
          </Button>
        </Tooltip>
        <Why event={event} first={rule} />
        {difference && (
          <Button variant="default" leftSection={<IconFileDiff size={14} aria-hidden="true" />} renderRoot={(props) => <Link {...props} to="/configurations/difference" search={difference as never} />}>
            Show the difference
          </Button>
        )}
      </div>
    </header>
  );
}

// Why asks of a rule why it fired on the event, or did not. Lines of a table are no events.
function Why({ event, first }: { event: Event; first: string }) {
  const [asking, ask] = useState(false);
  const [rule, choose] = useState(first);
  const open = () => ask(event.id !== '');
  useHotkeys('Event', [{ keys: 'w', label: 'Why did a rule fire, or not?', run: open }]);
  return (
    <>
      <Button variant="default" leftSection={<IconZoomQuestion size={14} aria-hidden="true" />} onClick={open}>
        Why did a rule fire, or not?
      </Button>
      <WhyNot event={asking ? event : undefined} rule={rule} choose={choose} close={() => ask(false)} />
    </>
  );
}

interface BodyProps {
  event: Event;
  raw: Uint8Array;
  spans: readonly Span[];
  // undefined while it is not known.
  parsed: boolean | undefined;
  onFilter: ((f: Filter) => void) | undefined;
}

function Body({ event, raw, spans, parsed, onFilter }: BodyProps) {
  const [view, setView] = useState('fields');
  const [lit, setLit] = useState<{ field: string | undefined; reveal: boolean }>({ field: undefined, reveal: false });
  const [selected, setSelected] = useState<Range>();
  const hues = useMemo(() => huesOf(spans), [spans]);
  const mates = useMemo(() => matesOf(spans, lit.field), [spans, lit.field]);
  const navigate = useNavigate();
  const at = millis(event.time);
  const fromRecord = useCallback((field: string | undefined) => setLit({ field, reveal: false }), []);
  const fromFields = useCallback((field: string | undefined) => setLit({ field, reveal: true }), []);
  const search = useCallback((f: Filter) => void navigate({ to: '/search', search: searchFor(f, at) as never }), [navigate, at]);
  useEffect(() => setSelected(undefined), [raw]);
  const json = useMemo(() => (view === 'json' ? asJSON(event.fields) : ''), [view, event]);
  const lines = useMemo(() => (view === 'json' ? pretty(event.raw) : undefined), [view, event]);
  return (
    <div className={css.both}>
      <section className={css.part} aria-label="Record">
        <div className={css.title}>
          <h3>Record</h3>
          <span className="dim number">{plural(raw.length, 'byte')}</span>
          <CopyButton text={event.raw} what="the record" />
        </div>
        <RawRecord raw={raw} spans={spans} lit={lit.field} onLit={fromRecord} reveal={lit.reveal} selected={selected} onSelect={setSelected} />
        <Owner raw={raw} spans={spans} parsed={parsed} selected={selected} lit={lit.reveal ? undefined : mates} />
      </section>
      <section className={css.part} aria-label="Fields">
        <div className={css.title}>
          <h3>Fields</h3>
          <span className="dim number">{Object.keys(event.fields).length}</span>
          <CopyButton text={asJSON(event.fields)} what="the fields as JSON" />
          <span className={css.spring} />
          <SegmentedControl
            aria-label="How the fields are shown"
            value={view}
            onChange={setView}
            data={[{ value: 'fields', label: 'Table' }, { value: 'json', label: 'JSON' }]}
          />
        </div>
        {view === 'fields' ? (
          <Fields fields={event.fields} hues={hues} lit={mates} onLit={fromFields} onFilter={onFilter ?? search} />
        ) : (
          <div className={css.json}>
            <RawText text={json} lines />
            {lines && (
              <>
                <h3>The record, line by line</h3>
                <RawText text={lines} lines />
              </>
            )}
          </div>
        )}
      </section>
    </div>
  );
}

interface OwnerProps extends Pick<BodyProps, 'raw' | 'spans' | 'parsed'> {
  selected: Range | undefined;
  // Fields of the bytes that the pointer is over.
  lit: ReadonlySet<string> | undefined;
}

// Owner says who read what is selected, or pointed at.
function Owner({ raw, spans, parsed, selected, lit }: OwnerProps) {
  const create = (
    <Link to="/modules/new" search={{ sample: sampleOf(textOf(raw)) } as never}>
      Create a parser from this
    </Link>
  );
  if (!selected && lit?.size) {
    return (
      <p className={css.owner} data-on="">
        Read into <Names fields={[...lit]} />
      </p>
    );
  }
  if (!selected) {
    if (parsed === false) return <p className={css.owner}>No parser reads this record yet. {create}</p>;
    return <p className={css.owner}>Point at a field to see its bytes; select bytes to see who read them.</p>;
  }
  const { fields, unread } = ownersOf(spans, selected.from, selected.to);
  const n = selected.to - selected.from;
  return (
    <p className={css.owner} role="status" data-on="">
      <span className="number">{n === 1 ? `Byte ${selected.from}` : `Bytes ${selected.from} to ${selected.to - 1}`}: </span>
      {fields.length > 0 && (
        <>
          read into <Names fields={fields} />
          {unread > 0 && `; ${unread} of ${n} by nobody`}
        </>
      )}
      {fields.length === 0 && <>nobody read {n === 1 ? 'this' : 'these'} → {create}</>}
    </p>
  );
}

const mostNames = 6;

const Names = ({ fields }: { fields: readonly string[] }) => (
  <>
    <strong className="mono">{fields.slice(0, mostNames).map(visible).join(', ')}</strong>
    {fields.length > mostNames && ` and ${plural(fields.length - mostNames, 'more field')}`}
  </>
);
