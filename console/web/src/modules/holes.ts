import { Decoration, type DecorationSet, type EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from '@codemirror/view';

const hole = new MatchDecorator({ regexp: /\{[@:?\w][^{}\n:]*(:[^\s{}][^{}\n]*)?\}/g, decoration: Decoration.mark({ class: 'cm-hole' }) });

// holes make a hole of a template, "{user.name:word}", stand out from the text around it.
export const holes = ViewPlugin.fromClass(
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
