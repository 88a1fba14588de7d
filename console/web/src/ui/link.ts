// References come with a rule: only plain web addresses become links.

export function webLink(text: string): string | undefined {
  try {
    const url = new URL(text.trim());
    return (url.protocol === 'https:' || url.protocol === 'http:') && !url.username && !url.password ? url.href : undefined;
  } catch {
    return undefined;
  }
}
