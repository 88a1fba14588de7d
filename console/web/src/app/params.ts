// The state of a page that a link carries: query parameters with defaults. What equals its default is left out.

import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useRef } from 'react';

type Value = string | number | boolean | string[];
export type Params = Record<string, Value>;
export type Raw = Record<string, string | string[]>;

// parseSearch and stringifySearch are what the router uses: plain text, a repeated name is a list.
export function parseSearch(text: string): Raw {
  const out: Raw = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const old = out[name];
    out[name] = old === undefined ? value : Array.isArray(old) ? [...old, value] : [old, value];
  }
  return out;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) out.append(name, String(one));
  }
  const text = out.toString();
  return text ? `?${text}` : '';
}

// read returns the parameters that defaults names, each of the type of its default.
export function read<T extends Params>(raw: Raw, defaults: T): T {
  const out: Params = { ...defaults };
  for (const [name, fallback] of Object.entries(defaults)) {
    const value = raw[name];
    if (value === undefined) continue;
    const one = Array.isArray(value) ? value[0]! : value;
    if (Array.isArray(fallback)) out[name] = Array.isArray(value) ? value : [value];
    else if (typeof fallback === 'number') out[name] = Number.isFinite(Number(one)) ? Number(one) : fallback;
    else if (typeof fallback === 'boolean') out[name] = one === 'true';
    else out[name] = one;
  }
  return out as T;
}

// write returns raw with patch in it.
export function write<T extends Params>(raw: Raw, patch: Partial<T>, defaults: T): Raw {
  const out: Raw = { ...raw };
  for (const [name, value] of Object.entries(patch)) {
    const same = value === undefined || String(value) === String(defaults[name]);
    if (same) delete out[name];
    else out[name] = Array.isArray(value) ? value : String(value);
  }
  return out;
}

// useParams returns the page's parameters and a function that changes some of them. push makes a step of the browser's
// history of it; otherwise the page's address is only corrected. defaults must not change.
export function useParams<T extends Params>(defaults: T): [T, (patch: Partial<T>, how?: { push?: boolean }) => void] {
  const raw = useSearch({ strict: false }) as Raw;
  const navigate = useNavigate();
  const fixed = useRef(defaults).current;
  const key = JSON.stringify(raw);
  // key stands for raw, which is a new object each time.
  const params = useMemo(() => read(raw, fixed), [key]);
  const set = useCallback(
    (patch: Partial<T>, how?: { push?: boolean }) => {
      void navigate({ to: '.', search: ((now: Raw) => write(now, patch, fixed)) as never, replace: !how?.push });
    },
    [navigate, fixed],
  );
  return [params, set];
}
