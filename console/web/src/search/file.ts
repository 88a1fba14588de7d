// The result of a search as a file: the same query again, up to the limit, written down as it streams in.

import type { Event } from '../gen/vedette/v1/event_pb';
import { millis } from '../live/row';
import { csvCell } from '../ui/text';
import { valueOf } from './columns';
import { type Asked, type Stream, stream } from './run';

export const exportLimit = 100_000; // events, as many as the host gives
export type Format = 'csv' | 'ndjson';

const iso = (ms: number): string => (ms ? new Date(ms).toISOString() : '');

// csvRow is a line of cells that no spreadsheet takes for formulas.
export const csvRow = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`;

// jsonLine is an event with all of its fields, or a line of a table.
export function jsonLine(e: Event): string {
  const own = e.id === '' ? {} : { 'vedette.id': e.id, 'vedette.tenant': e.tenant, '@timestamp': iso(millis(e.time)), 'event.original': e.raw };
  return `${JSON.stringify({ ...own, ...e.fields })}\n`;
}

// fileName says what the file holds: "vedette-20261122T0540Z-20261122T0640Z.csv".
export function fileName(asked: Pick<Asked, 'from' | 'to'>, now: number, format: Format): string {
  const part = (ms: number) => `${new Date(ms).toISOString().replace(/[-:]/g, '').slice(0, 13)}Z`;
  return `vedette-${part(asked.from)}-${part(asked.to ?? now)}.${format}`;
}

export interface Exported {
  blob: Blob;
  rows: number;
  // The limit ended it.
  truncated: boolean;
}

// collect runs the search and writes it down. Without columns of its own a table has those of its first line.
export async function collect(asked: Asked, format: Format, columns: readonly string[], signal: AbortSignal, progress: (rows: number) => void, open: Stream = stream): Promise<Exported> {
  const parts: BlobPart[] = format === 'csv' ? ['\ufeff'] : []; // spreadsheets take it for UTF-8 then
  let names: readonly string[] | undefined;
  let rows = 0;
  let truncated = false;
  for await (const m of open({ ...asked, limit: exportLimit }, signal)) {
    let text = '';
    for (const e of m.events) {
      if (format === 'ndjson') {
        text += jsonLine(e);
        continue;
      }
      const table = e.id === '';
      if (!names) {
        names = table ? Object.keys(e.fields).sort() : columns;
        text += csvRow(table ? names : ['time', ...names]);
      }
      text += csvRow(table ? names.map((n) => e.fields[n] ?? '') : [iso(millis(e.time)), ...names.map((n) => valueOf(n, e))]);
    }
    if (text) parts.push(text);
    rows += m.events.length;
    truncated ||= m.progress?.truncated ?? false;
    progress(rows);
  }
  return { blob: new Blob(parts, { type: format === 'csv' ? 'text/csv;charset=utf-8' : 'application/x-ndjson' }), rows, truncated };
}

// download hands a file to the browser.
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
