import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { read } from './client';
import type { QueryOf } from './endpoints';
import { at, first, next, OFTEN_MS, SELDOM_MS } from './paged';
import { readinessOf, type Readiness } from './readiness';

export type AuditFilter = Omit<NonNullable<QueryOf<'/v1/admin/audit'>>, 'cursor' | 'limit'>;

export const replaysQuery = infiniteQueryOptions({
  queryKey: ['replays'],
  queryFn: ({ pageParam, signal }) => read('/v1/admin/replays', { query: at(pageParam), signal }),
  ...first,
  getNextPageParam: next,
  refetchInterval: SELDOM_MS,
});

/** Read again until nothing of it goes on. */
export const replayQuery = (id: string) =>
  queryOptions({
    queryKey: ['replay', id],
    queryFn: ({ signal }) => read('/v1/admin/replays/{replayId}', { path: { replayId: id }, signal }),
    refetchInterval: ({ state }) => (state.data && state.data.finishedAt !== null ? false : OFTEN_MS),
  });

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => read('/v1/admin/audit', { query: { ...filter, ...at(pageParam) }, signal }),
    ...first,
    getNextPageParam: next,
  });

export const latestActionsQuery = queryOptions({
  queryKey: ['latest-actions'],
  queryFn: ({ signal }) => read('/v1/admin/audit', { query: { limit: 10 }, signal }),
  refetchInterval: SELDOM_MS,
});

export const outboxQuery = queryOptions({
  queryKey: ['outbox'],
  queryFn: ({ signal }) => read('/v1/admin/outbox', { signal }),
  refetchInterval: OFTEN_MS,
});

export const backlogQuery = queryOptions({
  queryKey: ['backlog'],
  queryFn: ({ signal }) => read('/v1/admin/backlog', { signal }),
  refetchInterval: OFTEN_MS,
});

export const readinessQuery = queryOptions({
  queryKey: ['ready'],
  queryFn: async ({ signal }): Promise<Readiness> => {
    const response = await fetch('/ready', { signal, cache: 'no-store', credentials: 'omit' });
    return readinessOf(response.status, await response.text());
  },
  refetchInterval: OFTEN_MS,
});

export const conditionsQuery = queryOptions({
  queryKey: ['conditions'],
  queryFn: ({ signal }) => read('/v1/admin/conditions', { query: { limit: 20 }, signal }),
  refetchInterval: OFTEN_MS,
});

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => read('/v1/admin/health', { signal }),
  refetchInterval: SELDOM_MS,
});
