// Colours of charts: the console's tokens, as a canvas needs them.

import { useComputedColorScheme } from '@mantine/core';
import { useMemo } from 'react';
import { severities } from '../live/row';
import './colors.css';

export const hues = 8;
// hue is the colour of the n-th line of a chart; the last one is for "everything else".
export const hue = (n: number): string => (n < hues ? `--org-${n}` : '--faint');
export const severityColor = (word: string): string => ((severities as readonly string[]).includes(word) ? `--chart-${word}` : '--faint');

// useColors returns what a token is in the theme of the moment.
export function useColors(): (token: string) => string {
  const scheme = useComputedColorScheme('dark');
  return useMemo(() => {
    let style: CSSStyleDeclaration | undefined;
    return (token) => (style ??= getComputedStyle(document.documentElement)).getPropertyValue(token).trim();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the tokens change with the theme
  }, [scheme]);
}
