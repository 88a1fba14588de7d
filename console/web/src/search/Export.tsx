import { Button, Loader, Menu } from '@mantine/core';
import { IconDownload, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { isCancelled } from '../api/errors';
import { count, plural } from '../ui/age';
import { failed, notice } from '../ui/notice';
import { collect, download, exportLimit, fileName, type Format } from './file';
import type { Asked } from './run';

// Export writes everything that the search finds into a file, up to the limit, and can be stopped.
export function Export({ asked, columns, disabled }: { asked: Asked; columns: readonly string[]; disabled: boolean }) {
  const [rows, setRows] = useState<number>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const start = async (format: Format) => {
    const own = new AbortController();
    abort.current = own;
    setRows(0);
    let shown = 0;
    const progress = (n: number) => {
      if (performance.now() - shown < 200) return;
      shown = performance.now();
      setRows(n);
    };
    try {
      const now = Date.now();
      const out = await collect({ ...asked, to: asked.to ?? now }, format, columns, own.signal, progress);
      const name = fileName(asked, now, format);
      download(out.blob, name);
      notice(`${plural(out.rows, 'line')} in ${name}.${out.truncated ? ` There are more: ${count(exportLimit)} is the most that one file holds. Search a shorter time for the rest.` : ''}`);
    } catch (e) {
      if (!isCancelled(e) && !own.signal.aborted) failed('Export', e);
    }
    setRows(undefined);
  };
  if (rows !== undefined) {
    return (
      <Button variant="default" leftSection={<Loader size={12} />} rightSection={<IconX size={13} aria-hidden="true" />} onClick={() => abort.current?.abort()} title="Stop the export">
        <span className="number">{count(rows)} written</span>
      </Button>
    );
  }
  return (
    <Menu width={290}>
      <Menu.Target>
        <Button variant="default" disabled={disabled} leftSection={<IconDownload size={14} aria-hidden="true" />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Everything that is found, at most {count(exportLimit)} lines</Menu.Label>
        <Menu.Item onClick={() => void start('csv')}>CSV, the columns of the table</Menu.Item>
        <Menu.Item onClick={() => void start('ndjson')}>NDJSON, every field and the record</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
