// A rule that is being written: its text, what the host says of it, and what it would take the place of.

import { useQuery } from '@connectrpc/connect-query';
import { useCallback, useEffect, useState } from 'react';
import { rules } from '../api/clients';
import { useOrganization } from '../app/organization';
import { type CheckRuleResponse, RuleService } from '../gen/vedette/v1/rule_pb';
import { failed } from '../ui/notice';
import { type Answer, useLatest } from '../ui/latest';
import { useScope } from './useRules';

const typing = 250; // ms after the last key

export interface Draft {
  text: string;
  write: (text: string) => void;
  // Whose it becomes; 0 for all.
  tenant: number;
  choose: (tenant: number) => void;
  check: Answer<CheckRuleResponse>;
  // The document that runs under the id of what was opened, or of what is written; undefined when there is none.
  running: string | undefined;
  // Digest of the package that was opened; empty for a new rule.
  digest: string;
  start: (language: 'pattern' | 'sigma') => void;
}

// useDraft opens a rule by its id; "" begins a new one.
export function useDraft(id: string): Draft & { error: unknown } {
  const { selected, all } = useOrganization();
  const scope = useScope();
  const [text, write] = useState('');
  const [chosen, choose] = useState<number>();
  const tenant = chosen ?? selected?.id ?? all[0]?.id ?? 0;
  const opened = useQuery(RuleService.method.getRule, { id, tenant: scope.tenant }, { enabled: id !== '' && scope.known, staleTime: Infinity });
  useEffect(() => {
    if (opened.data) write(opened.data.text);
  }, [opened.data]);
  const [ask, check] = useLatest((q: { text: string; tenant: number }, signal) => rules.checkRule(q, { signal }), typing);
  useEffect(() => ask.put(text.trim() === '' ? undefined : { text, tenant }), [ask, text, tenant]);
  const first = check.value?.rules[0]?.rule;
  const same = useQuery(RuleService.method.getRule, { id: first?.id ?? '', tenant }, { enabled: first?.enabled === true, retry: false });
  const start = useCallback((language: 'pattern' | 'sigma') => {
    rules.draftRule({ language }).then((r) => write(r.text), (e: unknown) => failed('Begin a rule', e)); // prettier-ignore
  }, []);
  return {
    text, write, tenant, choose, check, start, error: opened.error,
    running: first?.enabled ? same.data?.text : undefined, digest: opened.data?.editable ? opened.data.rule?.packageDigest ?? '' : '',
  }; // prettier-ignore
}
