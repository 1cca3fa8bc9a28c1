import type { Pool } from 'pg';
import { admin } from './admin';
import type { Answer } from './e2e-http';
import { eventually } from './eventually';

export interface ErasureCountsBody {
  events: number;
  discarded: number;
  requests: number;
  revisions: number;
  deliveries: number;
  texts: number;
  rejections: number;
  samples: number;
}

export interface ErasureStarted {
  accepted: boolean;
  actionId: string | null;
  erasureId: string | null;
  dryRun: boolean;
  counts: ErasureCountsBody;
  more: boolean;
  notFound: string[];
  notFoundCount: number;
}

export interface ErasureBody {
  erasureId: string;
  status: string;
  counts: ErasureCountsBody;
  statistics: string | null;
  finishedAt: string | null;
}

export const startErasure = (url: string, body: object): Promise<Answer<ErasureStarted>> =>
  admin<ErasureStarted>(url, 'erasures', body);

export async function readErasure(url: string, id: string | null): Promise<ErasureBody> {
  return (await admin<ErasureBody>(url, `erasures/${id}`)).body;
}

/** Lets an erasure look again without the wait before it, once it has walked through everything. */
export async function hurryLastLook(pool: Pool, id: string | null): Promise<void> {
  await pool.query(`update erasures set created_at = created_at - interval '90 seconds' where id = $1 and last_look`, [
    id,
  ]);
}

/** Starts an erasure, and returns it once it has ended. */
export async function erased(pool: Pool, url: string, body: object): Promise<ErasureBody> {
  const { status, text, body: started } = await startErasure(url, body);
  if (status !== 202) throw new Error(`not started: ${status} ${text}`);
  return whenErased(pool, url, started.erasureId);
}

export function whenErased(pool: Pool, url: string, id: string | null): Promise<ErasureBody> {
  return eventually(async () => {
    await hurryLastLook(pool, id);
    const erasure = await readErasure(url, id);
    expect(erasure.status).toBe('DONE');
    return erasure;
  }, 60_000);
}
