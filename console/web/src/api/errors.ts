// What an error says to a person: what happened, and what to do next.

import { Code, ConnectError } from '@connectrpc/connect';

export interface Refusal {
  title: string;
  text: string;
  // Trying again may help.
  retry: boolean;
}

const titles: Partial<Record<Code, string>> = {
  [Code.InvalidArgument]: 'The request was refused',
  [Code.NotFound]: 'Not found',
  [Code.AlreadyExists]: 'It exists already',
  [Code.PermissionDenied]: 'Your role does not permit this',
  [Code.ResourceExhausted]: 'A limit was reached',
  [Code.FailedPrecondition]: 'Not possible now',
  [Code.Aborted]: 'Somebody else was quicker',
  [Code.Unimplemented]: 'This host does not offer it',
  [Code.DeadlineExceeded]: 'It took too long',
};

export function explain(error: unknown): Refusal {
  const e = ConnectError.from(error);
  if (e.code === Code.Unavailable || e.cause instanceof TypeError) {
    return { title: 'The host does not answer', text: 'It may be restarting. Try again in a moment.', retry: true };
  }
  const title = titles[e.code];
  if (title) return { title, text: sentence(e.rawMessage), retry: e.code === Code.DeadlineExceeded || e.code === Code.Aborted };
  return { title: 'Something went wrong', text: sentence(e.rawMessage), retry: true };
}

export const isCancelled = (error: unknown): boolean => ConnectError.from(error).code === Code.Canceled;

function sentence(text: string): string {
  const t = text.trim();
  if (t === '') return '';
  return t[0]!.toUpperCase() + t.slice(1) + (/[.!?]$/.test(t) ? '' : '.');
}
