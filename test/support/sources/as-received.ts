import { ReceivedRequest } from '../../../src/sources/request/received-request';
import type { SentRequest } from './proof';

/** The request as the api sees it. */
export function asReceived(sent: SentRequest, receivedAt: Date, jsonField?: string): ReceivedRequest {
  const url = new URL(sent.url);
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) {
    const values = url.searchParams.getAll(name);
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return new ReceivedRequest(
    {
      method: sent.method,
      path: '',
      url: sent.url,
      query,
      headers: sent.headers,
      body: Buffer.from(sent.body),
      address: '203.0.113.7',
      receivedAt,
    },
    jsonField,
  );
}
