// What is wrong with a document, at the place where it is.

import type { Problem } from '../editor/Editor';
import type { CheckRuleResponse } from '../gen/vedette/v1/rule_pb';

// problemsOf returns the mistakes, and as warnings the fields that nothing maps.
export function problemsOf(text: string, check: Pick<CheckRuleResponse, 'problems' | 'rules'> | undefined): Problem[] {
  if (!check) return [];
  const unmapped = [...new Set(check.rules.flatMap((r) => r.rule?.unmapped ?? []))];
  return [...check.problems, ...unmapped.flatMap((f) => placesOf(text, f).map((at): Problem => ({ ...at, text: `Nothing maps “${f}” to a field of events`, hint: 'it is looked for under this name', severity: 'warning' })))];
}

// placesOf finds where a document tests a field: as the key of a line, with or without modifiers.
export function placesOf(text: string, field: string): { line: number; column: number }[] {
  const key = new RegExp(`^(\\s*(?:-\\s+)*["']?)${field.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?:\\|[\\w|]+)?["']?\\s*:`);
  return text.split('\n').flatMap((l, i) => {
    const found = key.exec(l);
    return found ? [{ line: i + 1, column: found[1]!.length + 1 }] : [];
  });
}
