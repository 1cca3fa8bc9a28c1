import type { OutgoingHttpHeaders } from 'node:http';
import { ADMIN_TOKEN } from '../app';
import { call, type Answer } from '../e2e-http';

export interface TenantBody {
  id: string;
  name: string;
  status: string;
  eventsPerMinute: number | null;
  bytesPerMinute: number | null;
  metadata: Record<string, unknown>;
}

export interface KeyBody {
  id: string;
  tenantId: string;
  name: string;
  scopes: string[];
  allow: string[] | null;
  createdBy: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  /** Only in the response that creates it. */
  key: string;
}

export interface OperatorBody {
  id: string;
  name: string;
  role: string;
  tenantIds: string[] | null;
  createdBy: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
  /** Only in the response that creates it. */
  token: string;
}

/** Sends a request below /v1/admin, with the admin token unless another one is given. */
export function ask<T>(
  url: string,
  method: string,
  path: string,
  { body, token = ADMIN_TOKEN }: { body?: unknown; token?: string } = {},
): Promise<Answer<T>> {
  const headers: OutgoingHttpHeaders = { 'x-admin-token': token };
  if (body === undefined) return call<T>(`${url}/v1/admin/${path}`, { method, headers });
  return call<T>(`${url}/v1/admin/${path}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Expects this status and returns the body. */
export async function expectStatus<T>(status: number, answer: Promise<Answer<T>>): Promise<T> {
  const { status: actual, text, body } = await answer;
  expect([actual, text]).toEqual([status, expect.anything()]);
  return body;
}

/** Creates a key through the API. */
export function createdKey(url: string, tenantId: string, fields: object = {}): Promise<KeyBody> {
  const body = { name: 'till 17', scopes: ['ingest', 'read'], ...fields };
  return expectStatus(201, ask<KeyBody>(url, 'POST', `tenants/${tenantId}/keys`, { body }));
}

/** Creates an operator through the API. Every process then accepts the token. */
export function createdOperator(url: string, fields: object): Promise<OperatorBody> {
  const body = { name: `operator ${Math.random()}`, ...fields };
  return expectStatus(201, ask<OperatorBody>(url, 'POST', 'operators', { body }));
}
