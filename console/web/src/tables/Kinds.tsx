import { SegmentedControl } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';

const places = [
  { value: '/tables', label: 'Tables' },
  { value: '/tables/lists', label: 'Lists' },
  { value: '/tables/indicators', label: 'Indicators' },
];

// Kinds switches between the things that rules and modules look into.
export function Kinds({ shown }: { shown: string }) {
  const navigate = useNavigate();
  return <SegmentedControl aria-label="What is listed" value={shown} onChange={(to) => void navigate({ to: to as never })} data={places} />;
}
