// How the console talks to its host: Connect over the page's own origin. The session is in a cookie that scripts
// cannot read.

import { Code, ConnectError, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';

let ended: () => void = () => {};

// onSessionEnd names who is told when the host says that there is no session any more.
export function onSessionEnd(then: () => void): void {
  ended = then;
}

const asksForSession = new Set(['SignIn', 'WhoAmI', 'ChangePassword']);

const watchSession: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (e) {
    if (ConnectError.from(e).code === Code.Unauthenticated && !asksForSession.has(request.method.name)) ended();
    throw e;
  }
};

export const transport = createConnectTransport({
  baseUrl: globalThis.location?.origin ?? '',
  useBinaryFormat: true,
  interceptors: [watchSession],
});
