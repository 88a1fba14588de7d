// The editor for declarative parsers: YAML with problems where they stand.

import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, MatchDecorator, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { Problem } from '../gen/vedette/v1/module_pb';

export interface EditorHandle {
  // Puts the cursor at a problem.
  goTo: (p: Problem) => void;
}

interface Props {
  value: string;
  onChange: (text: string) => void;
  problems: readonly Problem[];
  handle?: Ref<EditorHandle>;
}

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: [tags.string, tags.content], color: 'var(--text)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.separator, tags.punctuation, tags.bracket], color: 'var(--dim)' },
  { tag: [tags.number, tags.bool], color: 'var(--sev-low)' },
]);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: 'var(--size-s)', backgroundColor: 'var(--bg)', color: 'var(--text)' },
  '&.cm-focused': { outline: 'none' }, // its frame shows the focus
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--bg)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--hover) 60%, transparent)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--active)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--line-strong)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)', color: 'var(--text)' },
  '.cm-hole, .cm-hole *': { color: 'var(--sev-high)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
});

// A hole of a template, "{user.name:word}", stands out from the text around it.
const hole = new MatchDecorator({ regexp: /\{[@:?\w][^{}\n:]*(:[^\s{}][^{}\n]*)?\}/g, decoration: Decoration.mark({ class: 'cm-hole' }) });
const holes = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = hole.createDeco(view);
    }
    update(u: ViewUpdate) {
      this.decorations = hole.updateDeco(u, this.decorations);
    }
  },
  { decorations: (v) => v.decorations },
);

export default function Editor({ value, onChange, problems, handle }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    const editor = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(), lintGutter(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), yaml(), syntaxHighlighting(colors), holes, look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Declarative parser, YAML', spellcheck: 'false' }),
          keymap.of([...lintKeymap, ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'), ...historyKeymap]), // Tab and Mod-Enter are left to the page
          EditorView.updateListener.of((u) => u.docChanged && changed.current(u.state.doc.toString())),
        ],
      }),
    }); // prettier-ignore
    view.current = editor;
    return () => editor.destroy();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the editor holds its text from here on
  }, []);
  useEffect(() => {
    const editor = view.current!;
    const now = editor.state.doc.toString();
    if (now !== value) editor.dispatch({ changes: { from: 0, to: now.length, insert: value } });
  }, [value]);
  useEffect(() => {
    const { state } = view.current!;
    view.current!.dispatch(setDiagnostics(state, problems.map((p) => diagnostic(state.doc, p))));
  }, [problems]);
  useImperativeHandle(handle, () => ({
    goTo: (p) => {
      const editor = view.current!;
      editor.focus();
      editor.dispatch({ selection: { anchor: placeOf(editor.state.doc, p) }, scrollIntoView: true });
    },
  }));
  return <div ref={box} style={{ height: '100%', minHeight: 0 }} />;
}

// placeOf is where a problem begins; text that has changed since may be shorter.
function placeOf(doc: Text, p: Problem): number {
  const line = doc.line(Math.max(1, Math.min(p.line, doc.lines)));
  return Math.min(line.from + Math.max(0, p.column - 1), line.to);
}

function diagnostic(doc: Text, p: Problem): Diagnostic {
  const from = placeOf(doc, p);
  const line = doc.lineAt(from);
  const word = /^\S+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
  return { from, to: from + word, severity: 'error', message: p.hint ? `${p.text} (${p.hint})` : p.text };
}
