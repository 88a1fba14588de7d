// Text that narrows what is shown while it is typed, and that a link carries.

import { useCallback, useDeferredValue, useEffect, useRef, useState } from 'react';

const settled = 250; // ms without a key, after which the address has it: browsers refuse to be told of each

// useTyped returns what stands in a field, what the rest of the page goes by, which follows when the browser has time, and
// what the field is told of. value is what the address says.
export function useTyped(value: string, write: (text: string) => void): [text: string, deferred: string, change: (text: string) => void] {
  const [text, setText] = useState(value);
  const written = useRef(value);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (value === written.current) return;
    written.current = value; // a link, or the way back
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const change = useCallback(
    (next: string) => {
      setText(next);
      clearTimeout(waiting.current);
      waiting.current = setTimeout(() => {
        written.current = next;
        write(next);
      }, settled);
    },
    [write],
  );
  return [text, useDeferredValue(text), change];
}
