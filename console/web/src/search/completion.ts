// Names and values for the editor, as they occur in the range that is searched.

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { events } from '../api/clients';
import type { ValueCount } from '../gen/vedette/v1/event_pb';
import { count } from '../ui/age';
import { visible } from '../ui/text';
import { functions, type Place, pipes, placeOf } from './logsql';
import { type Asked, queryOf } from './run';

const keepFor = 60_000; // ms
const mostValues = 200;
const longest = 200; // bytes of a value that is offered

type Scope = Pick<Asked, 'from' | 'to' | 'tenants'>;

// Source asks the host once for each field and range.
export class Source {
  private known = new Map<string, { at: number; values: Promise<ValueCount[]> }>();

  constructor(private scope: () => Scope) {}

  complete = async (c: CompletionContext): Promise<CompletionResult | null> => {
    const place = placeOf(c.state.doc.toString(), c.pos);
    if (!place) return null;
    // Who writes words to look for is not to be interrupted.
    if (!c.explicit && place.kind === 'field' && (place.prefix.length < 2 || connectives.test(place.prefix))) return null;
    const found = this.optionsAt(c, place);
    return found.then((r) => (r.options.length > 0 ? r : null));
  };

  // The order is that of the host, the most frequent first; what is offered is asked for with each key, from memory.
  private async optionsAt(c: CompletionContext, place: Place): Promise<CompletionResult> {
    const { from, prefix, field } = place;
    switch (place.kind) {
      case 'pipe':
        return { from, filter: false, options: matching(Object.keys(pipes), prefix, (p) => p).map((label) => ({ label, type: 'keyword', info: pipes[label]!, apply: `${label} ` })) };
      case 'function':
        return { from, filter: false, options: matching([...functions], prefix, (f) => f).map((f) => ({ label: `${f}()`, type: 'function', apply: apply(`${f}()`, -1) })) };
      case 'field': {
        const names = await this.ask('', (query) => events.fieldNames({ query }).then((r) => r.names));
        const inPipe = c.state.sliceDoc(0, from).includes('|');
        return { from, filter: false, options: matching(names, prefix, (n) => n.value).map((n) => fieldOption(n, inPipe)) };
      }
      case 'value': {
        const values = await this.ask(field, (query) => events.fieldValues({ query: { ...query, limit: mostValues }, field }).then((r) => r.values));
        const closed = place.quoted && c.state.sliceDoc(c.pos, c.pos + 1) === '"';
        const short = values.filter((v) => v.value.length <= longest);
        return { from, ...(closed ? { to: c.pos + 1 } : {}), filter: false, options: matching(short, prefix, (v) => v.value).map((v) => valueOption(v, closed)) };
      }
    }
  }

  private async ask(key: string, read: (query: ReturnType<typeof queryOf>) => Promise<ValueCount[]>): Promise<ValueCount[]> {
    const scope = this.scope();
    const id = JSON.stringify([key, Math.round(scope.from / keepFor), scope.to, scope.tenants]);
    const old = this.known.get(id);
    if (old && Date.now() - old.at < keepFor) return old.values;
    if (this.known.size > 100) this.known.clear();
    const values = read(queryOf({ ...scope, text: '*', limit: 0 })).catch(() => [] as ValueCount[]); // nothing is offered then
    this.known.set(id, { at: Date.now(), values });
    return values;
  }
}

const connectives = /^(and|or|not)$/i;

// matching returns what begins with a prefix, then what has a part that does: "name" finds host.name.
function matching<T>(all: readonly T[], prefix: string, textOf: (t: T) => string): T[] {
  const p = prefix.toLowerCase();
  const rank = (t: T) => {
    const text = textOf(t).toLowerCase();
    if (text.startsWith(p)) return 0;
    const at = text.indexOf(p);
    return at < 0 ? -1 : /\w/.test(text[at - 1]!) ? (p.length > 2 ? 2 : -1) : 1;
  };
  return [0, 1, 2].flatMap((r) => all.filter((t) => rank(t) === r));
}

const apply = (text: string, back: number): NonNullable<Completion['apply']> => (view, _, from, to) =>
  view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length + back } });

const plain = /^[A-Za-z_@][\w.@]*$/;

function fieldOption({ value, count: n }: ValueCount, inPipe: boolean): Completion {
  const name = plain.test(value) ? value : JSON.stringify(value);
  return { label: value, displayLabel: visible(value), detail: count(n), type: 'property', apply: inPipe ? name : `${name}:` };
}

function valueOption({ value, count: n }: ValueCount, closed: boolean): Completion {
  const text = JSON.stringify(value);
  return { label: text, displayLabel: visible(value), ...(n > 0n ? { detail: count(n) } : {}), type: 'text', apply: closed ? text : `${text} ` };
}
