import { exchange } from '../load/exchange';
import type { ReadBack } from './evidence';

const READERS = 12;
const READ_TIMEOUT_MS = 30_000;

/** Reads events over HTTP. @param wanted tenant and id by name */
export async function readAll(
  api: string,
  wanted: ReadonlyMap<string, { tenant: string; id: string }>,
): Promise<Map<string, ReadBack>> {
  const found = new Map<string, ReadBack>();
  const left = wanted.entries();
  const reader = async (): Promise<void> => {
    for (const [name, { tenant, id }] of left) found.set(name, await readOne(api, tenant, id));
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return found;
}

async function readOne(api: string, tenant: string, id: string): Promise<ReadBack> {
  const url = `${api}/v1/events/${encodeURIComponent(id)}`;
  const { status, text, broken } = await exchange(url, { headers: { 'x-tenant-id': tenant } }, READ_TIMEOUT_MS);
  return { httpStatus: broken === undefined ? (status ?? 0) : 0, text };
}
