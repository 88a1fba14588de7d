// The states of a request and how they are marked.
export const toneOfState = (state: string): 'ok' | 'bad' | 'warn' => (state === 'approved' ? 'ok' : state === 'rejected' ? 'bad' : 'warn');
