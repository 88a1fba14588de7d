// A table as a file.

import { tables } from '../api/clients';
import type { Table } from '../gen/vedette/v1/table_pb';
import { csvCell } from '../ui/text';

const portion = 1_000; // rows of one request

type Read = (request: { name: string; tenant: number; offset: bigint; limit: number }) => Promise<{ table?: Pick<Table, 'digest'> | undefined; rows: readonly { cells: readonly string[] }[] }>;

// allRows reads a table to its end. It begins anew when another version comes into force meanwhile.
export async function allRows(t: Pick<Table, 'name' | 'tenant' | 'rows' | 'digest'>, read: Read = (r) => tables.getTable(r)): Promise<string[][]> {
  for (;;) {
    const rows: string[][] = [];
    let digest = '';
    let changed = false;
    for (;;) {
      const answer = await read({ name: t.name, tenant: t.tenant, offset: BigInt(rows.length), limit: portion });
      changed = digest !== '' && answer.table?.digest !== digest;
      if (changed) break;
      digest = answer.table?.digest ?? '';
      for (const r of answer.rows) rows.push([...r.cells]);
      if (answer.rows.length < portion) break;
    }
    if (!changed) return rows;
  }
}

// asCSV is for spreadsheets: what they would take for a formula is quoted.
export const asCSV = (columns: readonly string[], rows: readonly (readonly string[])[]): string => [columns, ...rows].map((r) => r.map(csvCell).join(',')).join('\n') + '\n'; // prettier-ignore

// asJSONL is exactly what the table holds: it can be uploaded again.
export const asJSONL = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.map((r) => `${JSON.stringify(Object.fromEntries(columns.map((c, i) => [c, r[i] ?? ''])))}\n`).join('');
