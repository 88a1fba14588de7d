import { Code, ConnectError } from '@connectrpc/connect';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { auth } from '../api/clients';
import { useTitle } from '../ui/Layout';
import { Mark } from './Mark';
import { forget } from './session';
import css from './signin.module.css';

function reason(e: unknown): string {
  switch (ConnectError.from(e).code) {
    case Code.Unauthenticated:
    case Code.InvalidArgument:
      return 'Wrong user name or password.';
    case Code.ResourceExhausted:
      return 'Too many attempts. Wait a minute and try again.';
    default:
      return 'The host does not answer. Try again in a moment.';
  }
}

// Only a path of this console is gone back to, never another site.
const inside = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : '/queue');

export function SignIn() {
  useTitle('Sign in');
  const { next, ended } = useSearch({ strict: false }) as { next?: string; ended?: string };
  const navigate = useNavigate();
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (fault) password.current?.select();
  }, [fault]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFault('');
    try {
      await auth.signIn({ name: String(form.get('username')), password: String(form.get('password')) });
      forget();
      await navigate({ href: inside(next) });
      await router.invalidate();
    } catch (e) {
      setFault(reason(e));
      setBusy(false);
    }
  }

  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={(e) => void submit(e)} method="post" action="/sign-in">
        <Mark size={34} />
        <h1>Sign in to Vedette</h1>
        {ended && !fault && <p className="dim">Your session has ended. Sign in again and go on where you were.</p>}
        <TextInput size="sm" label="User name" name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} autoFocus />
        <PasswordInput
          size="sm"
          ref={password}
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          error={fault !== ''}
          aria-describedby="fault"
        />
        <p id="fault" role="alert" className={css.fault}>
          {fault}
        </p>
        <Button size="sm" type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
      </form>
    </main>
  );
}
