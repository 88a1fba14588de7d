import type { Tenant, User } from './wire';

// Refused is an answer of the host that is not the one asked for.
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

// call does one unary call of the API: Connect with JSON. The session is in a cookie that scripts cannot read.
async function call<T>(method: string, request: object): Promise<T> {
  const response = await fetch(`/vedette.v1.${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' },
    body: JSON.stringify(request),
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.code ?? 'unknown', body.message ?? response.statusText);
  return body as T;
}

export const signIn = async (name: string, password: string): Promise<User> =>
  (await call<{ user: User }>('AuthService/SignIn', { name, password })).user;

export const signOut = (): Promise<object> => call('AuthService/SignOut', {});

// whoAmI returns the user of the session, or nothing when there is none.
export async function whoAmI(): Promise<User | undefined> {
  try {
    return (await call<{ user: User }>('AuthService/WhoAmI', {})).user;
  } catch (e) {
    if (e instanceof Refused && e.code === 'unauthenticated') return undefined;
    throw e;
  }
}

export const tenants = async (): Promise<Tenant[]> => (await call<{ tenants?: Tenant[] }>('TenantService/ListTenants', {})).tenants ?? [];
