// Commands that people copy: what is put into them must not end the word that it stands in, and addresses must be ones
// that the reader can reach.

// What a terminal obeys, or does not show: pasted as it is, it could end the paste and type for itself.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// shellQuoted is text as one word of bash, without control characters in it.
export function shellQuoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (text.search(unprintable) < 0) return `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = text.replace(/[\\']/g, '\\$&').replace(unprintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${escaped}'`;
}

// powershellQuoted is text as one string of PowerShell.
export const powershellQuoted = (text: string): string => `'${text.replace(/['‘’‚‛]/g, '$&$&')}'`;

export interface Endpoint {
  host: string;
  port: string;
  // With a leading slash, or empty.
  path: string;
}

// endpointOf splits a listener's address. One that listens everywhere is reached by the name that the page was.
export function endpointOf(address: string, pageHost: string): Endpoint {
  const slash = address.indexOf('/');
  const place = slash < 0 ? address : address.slice(0, slash);
  const colon = place.lastIndexOf(':');
  const host = place.slice(0, colon).replace(/^\[|\]$/g, '');
  const anywhere = host === '' || host === '0.0.0.0' || host === '::';
  return { host: anywhere ? pageHost.replace(/^\[|\]$/g, '') : host, port: place.slice(colon + 1), path: slash < 0 ? '' : address.slice(slash) };
}

// authority is host and port as a URL has them.
export const authority = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);
