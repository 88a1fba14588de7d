// The entity graph, drawn by cytoscape. The table beside it says the same for who cannot see or point.

import { useMantineColorScheme } from '@mantine/core';
import cytoscape, { type Core, type StylesheetJson } from 'cytoscape';
import { useEffect, useRef } from 'react';
import type { Edge, Node } from './graph';
import css from './incident.module.css';

interface Props {
  nodes: readonly Node[];
  edges: readonly Edge[];
  // The id of the node that is in the middle of attention.
  chosen: string;
  open: (kind: string, target: string) => void;
}

export default function Graph({ nodes, edges, chosen, open }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<Core>(null);
  const then = useRef(open);
  then.current = open;
  const { colorScheme } = useMantineColorScheme();

  useEffect(() => {
    const elements = [
      ...nodes.map((n) => ({ data: { ...n } })),
      ...edges.map((e) => ({ data: { id: `${e.source}→${e.target}`, ...e } })),
    ];
    const cy = cytoscape({ container: box.current, elements, style: style(box.current!), minZoom: 0.3, maxZoom: 2, boxSelectionEnabled: false });
    cy.layout({ name: 'concentric', concentric: (n: { data: (k: string) => string }) => ({ self: 3, entity: 2 })[n.data('kind')] ?? 1, levelWidth: () => 1, minNodeSpacing: 54, avoidOverlap: true, padding: 26, animate: false } as never).run();
    if (cy.zoom() > 1.1) {
      cy.zoom(1.1);
      cy.center();
    }
    cy.on('tap', 'node', (e) => then.current(e.target.data('kind'), e.target.data('target')));
    graph.current = cy;
    return () => cy.destroy();
  }, [nodes, edges, colorScheme]);

  useEffect(() => {
    const cy = graph.current;
    if (!cy) return;
    cy.nodes().removeClass('chosen');
    cy.getElementById(chosen).addClass('chosen');
  }, [chosen, nodes, edges, colorScheme]);

  return <div ref={box} className={css.graph} role="img" aria-label={`Graph of ${nodes.length} incidents and entities; the table says the same`} />;
}

function style(element: HTMLElement): StylesheetJson {
  const tokens = getComputedStyle(element);
  const token = (name: string) => tokens.getPropertyValue(name).trim();
  const label = { label: 'data(label)', color: token('--text'), 'font-family': token('--font').replaceAll("'", ''), 'font-size': 11, 'text-wrap': 'wrap', 'text-max-width': '170px', 'text-valign': 'bottom', 'text-margin-y': 5, 'text-background-color': token('--bg'), 'text-background-opacity': 0.85, 'text-background-padding': '2px' };
  const severity = (word: string) => ({ selector: `node[severity = "${word}"]`, style: { 'background-color': token(`--sev-${word}`) } });
  return [
    { selector: 'node', style: { ...label, width: 18, height: 18, 'background-color': token('--dim') } },
    { selector: 'node[kind = "entity"]', style: { shape: 'round-rectangle', width: 22, height: 22, 'background-color': token('--panel'), 'border-width': 2, 'border-color': token('--accent') } },
    { selector: 'node[kind = "incident"]', style: { shape: 'diamond', width: 20, height: 20 } },
    { selector: 'node[kind = "self"]', style: { width: 30, height: 30, 'font-weight': 600 } },
    ...['critical', 'high', 'medium', 'low', 'informational'].map(severity),
    { selector: 'edge', style: { width: 1, 'line-color': token('--line-strong'), 'curve-style': 'straight' } },
    { selector: 'node.chosen', style: { 'border-width': 3, 'border-color': token('--focus') } },
  ] as StylesheetJson;
}
