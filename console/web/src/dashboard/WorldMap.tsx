// Events by country on a map that needs no network: the shapes come with the console and are projected once.

import { geoNaturalEarth1, geoPath } from 'd3-geo';
import type { FeatureCollection } from 'geojson';
import { memo, useMemo } from 'react';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import world from 'world-atlas/countries-110m.json';
import { count } from '../ui/age';
import { visible } from '../ui/text';
import { numeric, type Place, points } from './countries';
import css from './dashboard.module.css';

const [width, height] = [640, 300];
const antarctica = '010'; // nobody logs in from there, and it takes a fifth of the map

const { shapes, projection } = (() => {
  const topology = world as unknown as Topology<{ countries: GeometryCollection }>;
  const all = feature(topology, topology.objects.countries) as FeatureCollection;
  const land: FeatureCollection = { type: 'FeatureCollection', features: all.features.filter((f) => f.id !== antarctica) };
  const projection = geoNaturalEarth1().fitExtent([[2, 2], [width - 2, height - 2]], land); // prettier-ignore
  const path = geoPath(projection);
  return { projection, shapes: land.features.map((f, i) => ({ key: String(f.id ?? `x${i}`), d: path(f) ?? '' })) };
})();

const Land = memo(function Land() {
  return <path className={css.land} d={shapes.map((s) => s.d).join('')} />;
});

const paths = new Map(shapes.map((s) => [s.key, s.d]));

interface Props {
  places: readonly Place[];
  onOpen: (p: Place) => void;
}

export default function WorldMap({ places, onOpen }: Props) {
  const highest = Math.max(1, ...places.map((p) => p.count));
  const drawn = useMemo(
    () =>
      places.flatMap((p) => {
        const d = paths.get(numeric.get(p.code) ?? '');
        const point = points[p.code] && projection(points[p.code] as [number, number]);
        return d || point ? [{ place: p, d, point }] : [];
      }),
    [places],
  );
  return (
    <svg viewBox={`0 0 ${width} ${height}`} className={css.map} role="img" aria-label={`World map: events of ${drawn.length} countries; the list beside it has the same numbers`}>
      <Land />
      {drawn.map(({ place, d, point }) => {
        // Counts differ by powers of ten: the root keeps the small ones in sight.
        const share = 22 + 78 * Math.sqrt(place.count / highest);
        const fill = `color-mix(in srgb, var(--accent) ${share.toFixed(0)}%, var(--line))`;
        const common = { style: { fill }, onClick: () => onOpen(place), className: css.country };
        const title = <title>{`${visible(place.name)}: ${count(place.count)}`}</title>;
        return d ? (
          <path key={place.code} d={d} {...common}>
            {title}
          </path>
        ) : (
          <circle key={place.code} cx={point![0]} cy={point![1]} r={3.2} {...common}>
            {title}
          </circle>
        );
      })}
    </svg>
  );
}
