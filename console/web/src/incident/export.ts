// An incident to take away: as a command, and as a tar that "vedette replay" computes again elsewhere.

import { incidents } from '../api/clients';

// commandFor checks the incident, byte for byte, from the records that the host has stored.
export const commandFor = (id: string, origin: string): string => `vedette replay --incident ${id} --server ${origin}`;

// download fetches the tar and hands it to the browser.
export async function download(id: string, signal: AbortSignal): Promise<void> {
  const pieces: BlobPart[] = [];
  for await (const { data } of incidents.exportIncident({ id }, { signal })) pieces.push(data as Uint8Array<ArrayBuffer>);
  const url = URL.createObjectURL(new Blob(pieces, { type: 'application/x-tar' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `incident-${id}.tar`;
  link.click();
  URL.revokeObjectURL(url);
}
