import { uuidV7 } from '../../src/event/uuid-v7';
import { ADMIN_TOKEN } from '../support/app';
import { call } from '../support/e2e-http';
import type { Report } from '../deliveries-proof/report';
import { compare, type Comparison, type Tally } from './compare';
import { send } from './send';
import type { Outcome, Sending, ShownRejection } from './sending';

const AT_ONCE = 8;
const PAGE = 100;
const SHOWN_FAULTS = 20;
const SHOWN_NOT_KEPT = 5;
const NONE: Tally = { sent: 0, accepted: 0, duplicates: 0, kept: 0, reported: 0, turnedAway: 0 };

/** Sends all requests, reads back what was kept of each, and reports whether every record is accounted for. */
export async function prove(url: string, sendings: readonly Sending[], report: Report): Promise<Tally> {
  const total = { ...NONE };
  const faults: string[] = [];
  const notKept = new Map<string, number>();
  const run = uuidV7();
  let unsendable = 0;
  for (let at = 0; at < sendings.length; at += AT_ONCE) {
    const part = sendings.slice(at, at + AT_ONCE);
    const comparisons = await Promise.all(part.map((sending, i) => proveOne(url, sending, `${run}.${at + i}`)));
    comparisons.forEach((comparison, i) => {
      if (!comparison) return void unsendable++;
      for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += comparison.tally[name];
      if (comparison.tally.reported > 0) notKept.set(part[i]?.name ?? '', comparison.tally.reported);
      faults.push(...comparison.faults.map((fault) => `${part[i]?.name}: ${fault}`));
    });
  }
  const { sent, accepted, duplicates, kept, reported, turnedAway } = total;
  report.note(`${sendings.length - unsendable} requests; ${unsendable} have headers that no client can send`);
  report.note(`${accepted} accepted, ${duplicates} duplicates, ${kept} kept, ${reported} reported as not kept`);
  const most = [...notKept].sort(([, a], [, b]) => b - a).slice(0, SHOWN_NOT_KEPT);
  for (const [name, count] of most) report.note(`  ${count} of them: ${name}`);
  report.note(`${turnedAway} turned away: of unknown callers, or because of headers alone`);
  report.exactly('records accounted for', accepted + duplicates + kept + reported + turnedAway, sent);
  for (const fault of faults.slice(0, SHOWN_FAULTS)) report.note(fault);
  report.exactly('requests or records that are not as they have to be', faults.length, 0);
  return total;
}

async function proveOne(url: string, sending: Sending, id: string): Promise<Comparison | undefined> {
  const outcome = await send(url, { ...sending, headers: { 'x-correlation-id': id, ...sending.headers } });
  return outcome && compare(sending, outcome, await shownOf(url, outcome));
}

/** Returns the rejections of a request, as an operator sees them. */
async function shownOf(url: string, { correlationId }: Outcome): Promise<ShownRejection[]> {
  const shown: ShownRejection[] = [];
  let cursor: string | null = null;
  do {
    const query = `correlationId=${encodeURIComponent(correlationId)}&limit=${PAGE}${cursor ? `&cursor=${cursor}` : ''}`;
    const page: { rejections: { id: string }[]; nextCursor: string | null } = await read(url, `rejections?${query}`);
    for (const { id } of page.rejections) shown.push(await read(url, `rejections/${id}`));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return shown;
}

async function read<T>(url: string, path: string): Promise<T> {
  const answer = await call<T>(`${url}/v1/admin/${path}`, { headers: { 'x-admin-token': ADMIN_TOKEN } });
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}
