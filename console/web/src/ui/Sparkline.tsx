// A line of recent figures, as small as a word.

interface Props {
  // Oldest first.
  values: readonly number[];
  label: string;
  width?: number;
  height?: number;
  // The value at the top; without it the largest one.
  top?: number;
}

export function Sparkline({ values, label, width = 72, height = 20, top }: Props) {
  const points = pointsOf(values, width, height, top);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} style={{ display: 'block', overflow: 'visible' }}>
      <polyline points={`0,${height - 0.5} ${width},${height - 0.5}`} stroke="var(--line)" fill="none" />
      {points && <polyline points={points} fill="none" stroke="var(--accent)" strokeWidth={1.4} strokeLinejoin="round" />}
    </svg>
  );
}

// pointsOf places values on a width and height, newest at the right; empty with fewer than two of them.
export function pointsOf(values: readonly number[], width: number, height: number, top?: number): string {
  if (values.length < 2) return '';
  const highest = Math.max(top ?? 0, ...values) || 1;
  const step = width / (values.length - 1);
  return values.map((v, i) => `${(i * step).toFixed(1)},${(height - 1 - (v / highest) * (height - 2)).toFixed(1)}`).join(' ');
}
