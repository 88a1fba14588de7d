// Screen readers are told of what changes at most once in five seconds.

import { useEffect, useRef, useState } from 'react';

const atMostEvery = 5_000; // ms

export function useAnnouncement(text: string): string {
  const [said, setSaid] = useState('');
  const last = useRef(-Infinity);
  useEffect(() => {
    const say = () => {
      last.current = performance.now();
      setSaid(text);
    };
    const timer = setTimeout(say, Math.max(0, last.current + atMostEvery - performance.now()));
    return () => clearTimeout(timer);
  }, [text]);
  return said;
}
