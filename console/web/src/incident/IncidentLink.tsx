import { Link } from '@tanstack/react-router';
import { useIncident } from '../live/live';
import { visible } from '../ui/text';

// IncidentLink leads to another incident, by its title when the stream has brought it.
export function IncidentLink({ id }: { id: string }) {
  const row = useIncident(id);
  return (
    <Link to="/incidents/$id" params={{ id } as never} title={`Incident ${id}`}>
      {row ? visible(row.title) : 'another incident'}
    </Link>
  );
}
