// The editor for LogsQL: completion where it helps, mistakes where they stand, the last searches on ↑.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, moveCompletionSelection, selectedCompletionIndex, startCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewline } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder, tooltips } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { Source } from './completion';
import { parser, spanOf } from './logsql';

export interface EditorHandle {
  focus: () => void;
}

export interface Problem {
  message: string;
  // In bytes of UTF-8.
  offset: number;
}

interface Props {
  value: string;
  onChange: (text: string) => void;
  onRun: () => void;
  problem: Problem | undefined;
  source: Source;
  // Newest first.
  past: () => readonly string[];
  handle?: Ref<EditorHandle>;
}

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--sev-medium)' },
  { tag: tags.number, color: 'var(--sev-low)' },
  { tag: tags.keyword, color: 'var(--org-1)', fontWeight: '600' },
  { tag: tags.function(tags.variableName), color: 'var(--org-1)' },
  { tag: [tags.operator, tags.bracket], color: 'var(--dim)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
]);

const look = EditorView.theme({
  '&': { fontSize: 'var(--size-m)', color: 'var(--text)', maxHeight: '132px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '6px 0' },
  '.cm-line': { padding: '0 10px' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '3px' },
  '.cm-lintPoint-error::after': { borderBottomColor: 'var(--bad)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)', borderRadius: 'var(--radius)', color: 'var(--text)', boxShadow: 'var(--shadow)' },
  '.cm-tooltip.cm-tooltip-autocomplete': { marginTop: '6px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: 'var(--size-s)', maxHeight: '288px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px', display: 'flex', gap: '12px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--active)', color: 'var(--text)' },
  '.cm-completionLabel': { flex: '1', overflow: 'hidden', textOverflow: 'ellipsis', maxWidth: '420px' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-completionDetail': { color: 'var(--dim)', fontStyle: 'normal', marginLeft: '0' },
  '.cm-completionInfo': { color: 'var(--dim)', fontSize: 'var(--size-s)', padding: '4px 10px' },
  '.cm-diagnostic': { fontSize: 'var(--size-s)', padding: '4px 10px' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
});

export default function QueryEditor({ value, onChange, onRun, problem, source, past, handle }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, onRun, past });
  latest.current = { onChange, onRun, past };
  useEffect(() => {
    const editor = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          keys(latest),
          history(), bracketMatching(), closeBrackets(), StreamLanguage.define(parser), syntaxHighlighting(colors), look,
          autocompletion({ override: [source.complete], icons: false, selectOnOpen: false, maxRenderedOptions: 60, activateOnTypingDelay: 120, interactionDelay: 0 }),
          tooltips({ parent: document.body, position: 'fixed' }),
          placeholder('host.name:="web-1" error   ·   field:value, "phrase", | stats …'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Query, LogsQL', spellcheck: 'false', autocapitalize: 'off' }),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap]),
          EditorView.updateListener.of((u) => u.docChanged && latest.current.onChange(u.state.doc.toString())),
        ],
      }),
    }); // prettier-ignore
    view.current = editor;
    return () => editor.destroy();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the editor holds its text from here on
  }, [source]);
  useEffect(() => {
    const editor = view.current!;
    const now = editor.state.doc.toString();
    if (now !== value) editor.dispatch({ changes: { from: 0, to: now.length, insert: value }, selection: { anchor: value.length } });
  }, [value]);
  useEffect(() => {
    const { state } = view.current!;
    view.current!.dispatch(setDiagnostics(state, problem ? [{ ...spanOf(state.doc.toString(), problem.offset), severity: 'error', message: problem.message }] : []));
  }, [problem]);
  useImperativeHandle(handle, () => ({ focus: () => view.current?.focus() }));
  return <div ref={box} />;
}

type Latest = { current: { onRun: () => void; past: () => readonly string[] } };

// Enter runs; a query of several lines is written with ⇧ Enter. ↑ and ↓ go through the past as long as its texts are
// left as they were.
function keys(latest: Latest) {
  let shown = -1;
  const recall = (by: number) => (editor: EditorView) => {
    if (completionStatus(editor.state) === 'active') return false;
    const past = latest.current.past();
    const text = editor.state.doc.toString();
    if (text === '') shown = -1;
    else if (past[shown] !== text) return false;
    const to = shown + by;
    if (to >= past.length || (to < 0 && shown < 0)) return false;
    shown = Math.max(-1, to);
    const next = past[shown] ?? '';
    editor.dispatch({ changes: { from: 0, to: text.length, insert: next }, selection: { anchor: next.length } });
    return true;
  };
  // Nothing is chosen by itself, or Enter would write something that nobody meant. Tab takes the first, and waits for
  // what is on its way: who writes fast must not land on the next button.
  let waiting = false;
  // A list that is being brought up to date is there and takes no key.
  const updating = () => document.querySelector('.cm-tooltip-autocomplete-disabled') !== null;
  const takeFirst = (editor: EditorView) => {
    if (selectedCompletionIndex(editor.state) === null) moveCompletionSelection(true)(editor);
    return acceptCompletion(editor);
  };
  const take = (editor: EditorView) => {
    const status = completionStatus(editor.state);
    waiting = status === 'pending' || (status === 'active' && updating());
    return waiting || (status === 'active' && takeFirst(editor));
  };
  const arrived = EditorView.updateListener.of((u) => {
    const status = completionStatus(u.state);
    if (!waiting || status === 'pending' || updating()) return;
    waiting = false;
    if (status === 'active' && !u.docChanged) takeFirst(u.view);
  });
  const run = () => {
    latest.current.onRun();
    return true;
  };
  const bound = [
    { key: 'Mod-Enter', run },
    { key: 'Enter', run: (editor: EditorView) => acceptCompletion(editor) || run() },
    { key: 'Shift-Enter', run: insertNewline },
    { key: 'Tab', run: take },
    { key: 'Ctrl-Space', run: startCompletion },
    { key: 'ArrowUp', run: recall(1) },
    { key: 'ArrowDown', run: recall(-1) },
  ];
  return [Prec.highest(keymap.of(bound)), arrived];
}
