// The first line of an incident. What is in it came from strangers' logs: it is text and nothing else.

import { visible } from '../ui/text';

export interface HeadlinePart {
  readonly text: string;
  // Milliseconds since 1970 when it is a moment; 0 when it is words.
  readonly at: number;
}

const moment = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/;

// headlineParts takes a headline apart into words and the moments that the host wrote at its end.
export function headlineParts(headline: string): HeadlinePart[] {
  return headline
    .split(/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)/)
    .filter(Boolean)
    .map((text) => {
      const m = moment.exec(text);
      const at = m ? Date.parse(`${m[1]}T${m[2]}Z`) : NaN;
      return { text: visible(text), at: Number.isNaN(at) ? 0 : at };
    });
}
