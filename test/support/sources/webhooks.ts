import { createHmac } from 'node:crypto';
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { HmacVerification } from '../../../src/sources/verification/verification';
import { call, type Answer, type Call } from '../e2e-http';

/** Secret of the sources of tests that sign their requests. */
export const WEBHOOK_SECRET = 'the secret of a webhook of these tests';

/** A producer that signs its body, as most do. */
export const SIGNED_BODY: HmacVerification = {
  scheme: 'hmac',
  algorithm: 'sha256',
  encoding: 'hex',
  header: 'x-signature',
  signed: '{body}',
};

export const signatureOf = (body: string | Buffer, secret = WEBHOOK_SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');

/** What a source answers by default, and the fields of a problem. */
export interface WebhookAnswer {
  status: 'accepted' | 'duplicate' | 'rejected';
  duplicate?: boolean;
  id: string;
  eventId: string;
  rejectionId: string;
  code: string;
  detail: string;
  correlationId: string;
  errors: { record?: number; code: string; message: string; pointer: string | null }[];
  summary: { records: number; accepted: number; duplicates: number; filtered: number; rejected: number };
}

export interface SentWebhook {
  headers?: OutgoingHttpHeaders;
  method?: string;
  secret?: string;
  agent?: Agent;
  /** What goes over the wire in place of the signed body, such as its compressed form. */
  wire?: Call['body'];
}

/** Sends a body with the signature of SIGNED_BODY. */
export function sendWebhook(
  url: string,
  body: string | Buffer,
  { headers = {}, method = 'POST', secret, agent, wire = body }: SentWebhook = {},
): Promise<Answer<WebhookAnswer>> {
  const signed = { 'content-type': 'application/json', 'x-signature': signatureOf(body, secret), ...headers };
  const present = Object.fromEntries(Object.entries(signed).filter(([, value]) => value !== undefined));
  return call<WebhookAnswer>(url, { method, headers: present, body: wire, agent });
}

/** Runs one task for each item, `width` at a time, and returns the results in order. */
export async function eachOf<T, R>(
  items: readonly T[],
  width: number,
  task: (item: T, i: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await task(items[i] as T, i);
  };
  await Promise.all(Array.from({ length: width }, run));
  return results;
}
