// A command that sends the first sample once more, for whoever does not want to wait for the next one.

import { useQuery } from '@connectrpc/connect-query';
import { SourceService } from '../gen/vedette/v1/source_pb';
import { CopyButton } from '../ui/Copy';
import { authority, endpointOf, shellQuoted } from '../ui/shell';
import type { Order } from './useInstall';

export function Resend({ order }: { order: Order }) {
  const { data } = useQuery(SourceService.method.getIngest, { tenant: order.tenant }, { enabled: order.tenant !== 0, staleTime: 60_000 });
  const udp = data?.listeners.find((l) => l.protocol === 'syslog-udp');
  const sample = order.samples[0];
  if (!udp || !sample) return null;
  const text = new TextDecoder().decode(sample);
  const command = `printf %s ${shellQuoted(text)} > /dev/udp/${authority(endpointOf(udp.address, location.hostname)).replace(/:(\d+)$/, '/$1')}`;
  return <CopyButton text={command} what="a command for bash that sends the first sample" label="Copy a test command" />;
}
