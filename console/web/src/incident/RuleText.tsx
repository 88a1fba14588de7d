// The rule as it ran.

import { CopyButton } from '../ui/Copy';
import { Panel } from '../ui/Layout';
import { RawText } from '../ui/RawText';
import { EmptyState } from '../ui/States';
import { visible } from '../ui/text';
import type { ViewProps } from './useIncidentPage';

export function RuleText({ loaded: { data, row } }: ViewProps) {
  const text = data.explanation?.ruleText ?? '';
  const { rule, ruleVersion } = row.incident;
  if (!text) return <EmptyState title="The rule is no longer here">Version {visible(ruleVersion)} of {visible(rule)} was removed from this host. What it measured stands in the summary.</EmptyState>;
  return (
    <Panel title={`${visible(rule)} ${visible(ruleVersion)}, as it ran`} actions={<CopyButton text={text} what="the rule" />}>
      <RawText text={text} lines limit={100_000} />
    </Panel>
  );
}
