import { useEffect, useState } from 'react';
import { signOut, whoAmI } from './call';
import { Incidents } from './Incidents';
import { SignIn } from './SignIn';
import type { User } from './wire';

type Who = User | 'asking' | 'nobody' | 'unreachable';

export function App() {
  const [who, setWho] = useState<Who>('asking');
  const [ended, setEnded] = useState(false);

  useEffect(() => {
    let gone = false;
    whoAmI().then(
      (user) => gone || setWho(user ?? 'nobody'),
      () => gone || setWho('unreachable'),
    );
    return () => {
      gone = true;
    };
  }, []);

  if (who === 'asking') return null;
  if (who === 'unreachable') {
    return (
      <main className="alone">
        <h1>Vedette</h1>
        <p role="alert">The host does not answer.</p>
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      </main>
    );
  }
  if (who === 'nobody') {
    return (
      <SignIn
        ended={ended}
        done={(user) => {
          setEnded(false);
          setWho(user);
        }}
      />
    );
  }
  return (
    <Incidents
      user={who}
      ended={() => {
        setEnded(true);
        setWho('nobody');
      }}
      signOut={() => void signOut().finally(() => setWho('nobody'))}
    />
  );
}
