// react-query as the console uses it: the live stream keeps incidents fresh, so nothing is asked again unasked.

import { Code, ConnectError } from '@connectrpc/connect';
import { QueryClient } from '@tanstack/react-query';

const hopeless = new Set([Code.Unauthenticated, Code.PermissionDenied, Code.NotFound, Code.InvalidArgument, Code.Unimplemented, Code.FailedPrecondition]);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !hopeless.has(ConnectError.from(error).code),
    },
    mutations: { retry: false },
  },
});
