import { type FormEvent, useRef, useState } from 'react';
import { Refused, signIn } from './call';
import type { User } from './wire';

function reason(e: unknown): string {
  if (!(e instanceof Refused)) return 'The host does not answer. Try again.';
  if (e.code === 'unauthenticated') return 'Wrong user name or password.';
  if (e.code === 'resource_exhausted') return 'Too many attempts. Wait a minute and try again.';
  return e.message;
}

export function SignIn({ ended, done }: { ended: boolean; done: (user: User) => void }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const password = useRef<HTMLInputElement>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFault('');
    try {
      done(await signIn(String(form.get('username')), String(form.get('password'))));
    } catch (e) {
      setFault(reason(e));
      setBusy(false);
      password.current?.focus();
      password.current?.select();
    }
  }

  return (
    <main className="alone">
      <h1>Vedette</h1>
      <form onSubmit={submit} aria-describedby="fault">
        {ended && !fault && <p>Your session has ended. Sign in again.</p>}
        <label>
          User name
          <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus />
        </label>
        <label>
          Password
          <input ref={password} name="password" type="password" autoComplete="current-password" required aria-invalid={fault !== ''} />
        </label>
        <p id="fault" role="alert" className="fault">
          {fault}
        </p>
        <button type="submit" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
