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
}

export interface ErasureBody {
  erasureId: string;
  status: string;
  counts: ErasureCountsBody;
  finishedAt: string | null;
}

export const startErasure = (url: string, body: object): Promise<Answer<ErasureStarted>> =>
  admin<ErasureStarted>(url, 'erasures', body);

export async function readErasure(url: string, id: string | null): Promise<ErasureBody> {
  return (await admin<ErasureBody>(url, `erasures/${id}`)).body;
}

/** Starts an erasure, and returns it once it has ended. */
export async function erased(url: string, body: object): Promise<ErasureBody> {
  const { status, text, body: started } = await startErasure(url, body);
  if (status !== 202) throw new Error(`not started: ${status} ${text}`);
  return eventually(async () => {
    const erasure = await readErasure(url, started.erasureId);
    expect(erasure.status).toBe('DONE');
    return erasure;
  }, 60_000);
}
