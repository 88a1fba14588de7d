// The rule as it ran.

import { Link } from '@tanstack/react-router';
import type { Incident } from '../gen/vedette/v1/incident_pb';
import { millis } from '../live/row';
import { linkOf } from '../rules';
import { clock, count } from '../ui/age';
import { CopyButton } from '../ui/Copy';
import { Panel } from '../ui/Layout';
import { RawText } from '../ui/RawText';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import css from './incident.module.css';
import type { ViewProps } from './useIncidentPage';

export function RuleText({ loaded: { data, row } }: ViewProps) {
  const text = data.explanation?.ruleText ?? '';
  const { rule, ruleVersion } = row.incident;
  return (
    <div className={css.rule}>
      <AsItRan of={row.incident} />
      {text ? (
        <Panel title={`${visible(rule)} ${visible(ruleVersion)}, as it ran`} actions={<CopyButton text={text} what="the rule" />}>
          <RawText text={text} lines limit={100_000} />
        </Panel>
      ) : (
        <EmptyState title="The rule is no longer here">Version {visible(ruleVersion)} of {visible(rule)} was removed from this host. What it measured stands in the summary.</EmptyState>
      )}
    </div>
  ); // prettier-ignore
}

// AsItRan is what a replay needs to come to the same: versions of the rule and of what it looked into, and its time.
function AsItRan({ of: i }: { of: Incident }) {
  return (
    <dl className={css.ran}>
      <dt>Rule</dt>
      <dd>
        <Link {...linkOf(i.rule)}>{visible(i.ruleName || i.rule)}</Link> <span className="number dim">{visible(i.ruleVersion)}</span>
      </dd>
      {i.ruleDigest && (
        <>
          <dt>Package</dt>
          <dd className="mono">{i.ruleDigest}</dd>
        </>
      )}
      {i.watermark && (
        <>
          <dt>Watermark</dt>
          <dd>
            <time dateTime={new Date(millis(i.watermark)).toISOString()}>{clock(millis(i.watermark))}</time> <span className="dim">What came with an earlier time came late.</span>
          </dd>
        </>
      )}
      {i.lists.length > 0 && (
        <>
          <dt>Lists</dt>
          <dd>
            {i.lists.map((l) => (
              <span key={l.name}>
                <span className="mono">{visible(l.name)}</span> <span className="dim number">{l.version > 0n ? `as of position ${count(l.version)}` : 'did not exist'}</span>
              </span>
            ))}
          </dd>
        </>
      )}
      {i.approximate && (
        <>
          <dt>Numbers</dt>
          <dd>Some are approximate: within what the language allows above 1,024 values.</dd>
        </>
      )}
    </dl>
  );
}
