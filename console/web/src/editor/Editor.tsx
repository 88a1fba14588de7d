// An editor for YAML documents, with problems where they stand and completion from the host.

import { acceptCompletion, autocompletion, type CompletionSource, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, Prec, type Text } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers, tooltips } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { look } from './look';

export interface Problem {
  // From 1; 0: of no line in particular.
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly hint: string;
  readonly severity?: 'error' | 'warning' | undefined;
}

export interface EditorHandle {
  // Puts the cursor at a problem.
  goTo: (p: Pick<Problem, 'line' | 'column'>) => void;
}

interface Props {
  label: string;
  value: string;
  // Without it the text is only read.
  onChange?: (text: string) => void;
  problems?: readonly Problem[];
  // Must stay the same while the editor is shown, as must extensions.
  complete?: CompletionSource;
  extensions?: Extension;
  handle?: Ref<EditorHandle>;
}

const none: readonly Problem[] = [];

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: [tags.string, tags.content], color: 'var(--text)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
  { tag: [tags.separator, tags.punctuation, tags.bracket], color: 'var(--dim)' },
  { tag: [tags.number, tags.bool], color: 'var(--sev-low)' },
]);

export default function Editor({ label, value, onChange, problems = none, complete, extensions = [], handle }: Props) {
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
          lineNumbers(), highlightSpecialChars(), lintGutter(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), yaml(), syntaxHighlighting(colors), look, extensions,
          complete ? completing(complete) : [],
          tooltips({ parent: document.body, position: 'fixed' }),
          EditorState.readOnly.of(!changed.current),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
          keymap.of([...lintKeymap, ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'), ...historyKeymap]), // Tab and Mod-Enter are left to the page
          EditorView.updateListener.of((u) => u.docChanged && changed.current?.(u.state.doc.toString())),
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

// Tab takes what is chosen of an open list and is left to the page otherwise.
const completing = (source: CompletionSource): Extension => [
  autocompletion({ override: [source], icons: false, maxRenderedOptions: 60, activateOnTypingDelay: 120, interactionDelay: 0 }),
  Prec.high(keymap.of([...completionKeymap, { key: 'Tab', run: acceptCompletion }])),
];

// placeOf is where a problem begins; text that has changed since may be shorter.
function placeOf(doc: Text, p: Pick<Problem, 'line' | 'column'>): number {
  const line = doc.line(Math.max(1, Math.min(p.line, doc.lines)));
  return Math.min(line.from + Math.max(0, p.column - 1), line.to);
}

function diagnostic(doc: Text, p: Problem): Diagnostic {
  const from = placeOf(doc, p);
  const line = doc.lineAt(from);
  const word = /^\S+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
  return { from, to: from + word, severity: p.severity ?? 'error', message: p.hint ? `${p.text} (${p.hint})` : p.text };
}
