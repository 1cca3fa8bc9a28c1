import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { read, readText } from './client';
import type { QueryOf, Schema } from './endpoints';
import { at, first, next, OFTEN_MS, SELDOM_MS } from './paged';

type EventFilter = Omit<NonNullable<QueryOf<'/v1/admin/events'>>, 'cursor' | 'limit' | 'attempts'>;
type ReasonFilter = Omit<NonNullable<QueryOf<'/v1/admin/dlq/reasons'>>, 'limit'>;
type DeliveryFilter = Omit<NonNullable<QueryOf<'/v1/admin/deliveries'>>, 'cursor' | 'limit'>;
export type RejectionFilter = Omit<NonNullable<QueryOf<'/v1/admin/rejections'>>, 'cursor' | 'limit'>;

export const eventsQuery = (filter: EventFilter) =>
  infiniteQueryOptions({
    queryKey: ['events', filter],
    queryFn: ({ pageParam, signal }) => read('/v1/admin/events', { query: { ...filter, ...at(pageParam) }, signal }),
    ...first,
    getNextPageParam: next,
  });

/** The event with the exact text of its response, in which the payload keeps its numbers. */
export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ['event', id],
    queryFn: async ({ signal }) => {
      const text = await readText('/v1/events/{id}', { path: { id }, signal });
      return { text, event: JSON.parse(text) as Schema<'EventResponse'> };
    },
    refetchInterval: OFTEN_MS,
  });

export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['timeline', id],
    queryFn: ({ signal }) => read('/v1/admin/events/{id}/timeline', { path: { id }, signal }),
    refetchInterval: OFTEN_MS,
  });

export const deliveryQuery = (id: string, destinationId: string, generation: number) =>
  queryOptions({
    queryKey: ['delivery', id, destinationId, generation],
    queryFn: ({ signal }) =>
      read('/v1/admin/deliveries/{id}/{destinationId}', { path: { id, destinationId }, query: { generation }, signal }),
  });

export const reasonsQuery = (filter: ReasonFilter, limit = 100) =>
  queryOptions({
    queryKey: ['reasons', filter, limit],
    queryFn: ({ signal }) => read('/v1/admin/dlq/reasons', { query: { ...filter, limit }, signal }),
    refetchInterval: SELDOM_MS,
  });

export const deadLettersQuery = (filter: ReasonFilter) =>
  infiniteQueryOptions({
    queryKey: ['dead-letters', filter],
    queryFn: ({ pageParam, signal }) => read('/v1/admin/dlq', { query: { ...filter, ...at(pageParam) }, signal }),
    ...first,
    getNextPageParam: next,
  });

export const destinationsQuery = (tenantId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['destinations', tenantId],
    queryFn: ({ pageParam, signal }) =>
      read('/v1/admin/destinations', {
        query: { ...(tenantId === undefined ? {} : { tenantId }), ...at(pageParam), limit: 20 },
        signal,
      }),
    ...first,
    getNextPageParam: next,
  });

export const destinationQuery = (id: string) =>
  queryOptions({
    queryKey: ['destination', id],
    queryFn: ({ signal }) => read('/v1/admin/destinations/{id}', { path: { id }, signal }),
    staleTime: SELDOM_MS,
  });

export const destinationHistoryQuery = (id: string) =>
  queryOptions({
    queryKey: ['destination-history', id],
    queryFn: ({ signal }) => read('/v1/admin/destinations/{id}/history', { path: { id }, signal }),
    refetchInterval: OFTEN_MS,
  });

/** The newest events of the tenant; of the type, if the destination has just one. */
export const eventsToTryQuery = ({
  tenantId,
  eventTypes,
}: Pick<Schema<'DestinationResponse'>, 'tenantId' | 'eventTypes'>) =>
  queryOptions({
    queryKey: ['events-to-try', tenantId, eventTypes],
    queryFn: ({ signal }) => {
      const [type, ...others] = eventTypes;
      const ofType = type === undefined || type === '*' || others.length > 0 ? {} : { type };
      return read('/v1/admin/events', { query: { tenantId, limit: 20, ...ofType }, signal });
    },
    ...{ staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false },
  });

export const deliveriesQuery = (filter: DeliveryFilter) =>
  queryOptions({
    queryKey: ['deliveries', filter],
    queryFn: ({ signal }) => read('/v1/admin/deliveries', { query: { ...filter, limit: 20 }, signal }),
    refetchInterval: SELDOM_MS,
  });

export const sourcesQuery = (tenantId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['sources', tenantId],
    queryFn: ({ pageParam, signal }) =>
      read('/v1/admin/sources', {
        query: { ...(tenantId === undefined ? {} : { tenantId }), ...at(pageParam) },
        signal,
      }),
    ...first,
    getNextPageParam: next,
  });

export const sourceQuery = (id: string) =>
  queryOptions({
    queryKey: ['source', id],
    queryFn: ({ signal }) => read('/v1/admin/sources/{id}', { path: { id }, signal }),
    staleTime: SELDOM_MS,
  });

export const sourceRequestsQuery = (id: string) =>
  queryOptions({
    queryKey: ['source-requests', id],
    queryFn: ({ signal }) => read('/v1/admin/sources/{id}/requests', { path: { id }, signal }),
    refetchInterval: OFTEN_MS,
  });

/** The presets change with the release alone. */
export const providersQuery = queryOptions({
  queryKey: ['source-providers'],
  queryFn: ({ signal }) => read('/v1/admin/source-providers', { signal }),
  staleTime: Infinity,
});

export const rejectionReasonsQuery = (filter: RejectionFilter, limit = 100) =>
  queryOptions({
    queryKey: ['rejection-reasons', filter, limit],
    queryFn: ({ signal }) => read('/v1/admin/rejections/reasons', { query: { ...filter, limit }, signal }),
    refetchInterval: SELDOM_MS,
  });

export const rejectionsQuery = (filter: RejectionFilter) =>
  infiniteQueryOptions({
    queryKey: ['rejections', filter],
    queryFn: ({ pageParam, signal }) =>
      read('/v1/admin/rejections', { query: { ...filter, ...at(pageParam) }, signal }),
    ...first,
    getNextPageParam: next,
  });

/** The rejection with the exact text of its response, in which `diff` keeps its numbers. */
export const rejectionQuery = (id: string) =>
  queryOptions({
    queryKey: ['rejection', id],
    queryFn: async ({ signal }) => {
      const text = await readText('/v1/admin/rejections/{id}', { path: { id }, signal });
      return { text, rejection: JSON.parse(text) as Schema<'RejectionResponse'> };
    },
  });

export const newestSourcesQuery = queryOptions({
  queryKey: ['newest-sources'],
  queryFn: ({ signal }) => read('/v1/admin/sources', { query: { limit: 500 }, signal }),
  refetchInterval: SELDOM_MS,
});

export const newestDestinationsQuery = queryOptions({
  queryKey: ['newest-destinations'],
  queryFn: ({ signal }) => read('/v1/admin/destinations', { query: { limit: 500 }, signal }),
  refetchInterval: SELDOM_MS,
});
