// The entity graph: this incident in the middle, its entities around it, and the other incidents that they lead to.

import type { RelatedIncident } from '../gen/vedette/v1/incident_pb';
import { visible } from '../ui/text';
import { type About, keyOf, kindTitles } from './entities';

export interface Node {
  readonly id: string;
  readonly kind: 'self' | 'entity' | 'incident';
  readonly label: string;
  readonly severity: string;
  // Where a click leads: an incident's id, or an entity's key.
  readonly target: string;
}

export interface Edge {
  readonly source: string;
  readonly target: string;
}

const mostOthers = 24;
const longestLabel = 60; // characters

const cut = (s: string): string => visible(s.length > longestLabel ? `${s.slice(0, longestLabel - 1)}…` : s);

export function graphOf(
  self: { id: string; title: string; severity: string },
  about: readonly About[],
  related: readonly RelatedIncident[],
): { nodes: Node[]; edges: Edge[]; left: number } {
  const nodes: Node[] = [{ id: self.id, kind: 'self', label: 'This incident', severity: self.severity, target: self.id }];
  const edges: Edge[] = [];
  const known = new Set<string>();
  for (const e of about) {
    known.add(keyOf(e));
    nodes.push({ id: keyOf(e), kind: 'entity', label: `${kindTitles[e.kind] ?? e.kind}\n${cut(e.value)}`, severity: '', target: keyOf(e) });
    edges.push({ source: self.id, target: keyOf(e) });
  }
  const shown = related.filter((r) => r.incident && r.shared.some((s) => known.has(keyOf(s)))).slice(0, mostOthers);
  for (const { incident, shared } of shown) {
    nodes.push({ id: incident!.id, kind: 'incident', label: cut(incident!.title), severity: incident!.severity, target: incident!.id });
    const own = new Set(shared.map(keyOf).filter((k) => known.has(k)));
    for (const k of own) edges.push({ source: k, target: incident!.id });
  }
  return { nodes, edges, left: related.length - shown.length };
}
