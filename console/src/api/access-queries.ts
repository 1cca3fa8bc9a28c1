import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { read } from './client';
import type { QueryOf } from './endpoints';
import { at, first, next } from './paged';

export type TenantFilter = Omit<NonNullable<QueryOf<'/v1/admin/tenants'>>, 'cursor' | 'limit'>;

export const tenantsQuery = (filter: TenantFilter) =>
  infiniteQueryOptions({
    queryKey: ['tenants', filter],
    queryFn: ({ pageParam, signal }) => read('/v1/admin/tenants', { query: { ...filter, ...at(pageParam) }, signal }),
    ...first,
    getNextPageParam: next,
  });

export const tenantQuery = (tenantId: string) =>
  queryOptions({
    queryKey: ['tenant', tenantId],
    queryFn: ({ signal }) => read('/v1/admin/tenants/{tenantId}', { path: { tenantId }, signal }),
  });

export const expectationsQuery = (tenantId: string) =>
  queryOptions({
    queryKey: ['expectations', tenantId],
    queryFn: ({ signal }) => read('/v1/admin/tenants/{tenantId}/expectations', { path: { tenantId }, signal }),
  });

export const keysQuery = (tenantId: string) =>
  infiniteQueryOptions({
    queryKey: ['keys', tenantId],
    queryFn: ({ pageParam, signal }) =>
      read('/v1/admin/tenants/{tenantId}/keys', { path: { tenantId }, query: at(pageParam), signal }),
    ...first,
    getNextPageParam: next,
  });

export const operatorsQuery = infiniteQueryOptions({
  queryKey: ['operators'],
  queryFn: ({ pageParam, signal }) => read('/v1/admin/operators', { query: at(pageParam), signal }),
  ...first,
  getNextPageParam: next,
});
