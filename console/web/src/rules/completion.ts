// What may stand at a place of a document, as the host knows it.

import type { Completion, CompletionSource } from '@codemirror/autocomplete';
import { rules } from '../api/clients';
import { visible } from '../ui/text';

const types: Record<string, string> = { key: 'keyword', field: 'property', modifier: 'function', value: 'text', list: 'variable', rule: 'class', technique: 'constant' };

// bytesAt is the offset in bytes of UTF-8 of an offset in a string.
export const bytesAt = (text: string, offset: number): number => new TextEncoder().encode(text.slice(0, offset)).length;

// offsetAt is the other way round.
export const offsetAt = (text: string, bytes: number): number => new TextDecoder().decode(new TextEncoder().encode(text).slice(0, bytes)).length;

// complete asks the host while somebody writes. tenant is whose fields and lists are offered.
export const complete =
  (tenant: () => number): CompletionSource =>
  async (context) => {
    if (!context.explicit && !/[\w.|@:\- ]$/.test(context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos))) return null;
    const text = context.state.doc.toString();
    try {
      const r = await rules.completeRule({ text, offset: bytesAt(text, context.pos), tenant: tenant() });
      if (context.aborted || r.completions.length === 0) return null;
      const options = r.completions.map((c): Completion => ({ label: c.text, displayLabel: visible(c.text), type: types[c.kind] ?? 'text', ...(c.detail ? { detail: visible(c.detail) } : {}) }));
      return { from: offsetAt(text, r.start), to: offsetAt(text, r.end), options, filter: false };
    } catch {
      return null; // nothing is offered then
    }
  };
