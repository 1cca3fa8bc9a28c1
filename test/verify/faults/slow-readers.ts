import { MANNERS, planUpload, type PlannedUpload } from '../load/slow/planned-upload';
import { uploadSlowly } from '../load/slow/slow-upload';
import { streamOf } from '../load/requests/stream';
import { correlationOf, Sender, type Outside } from '../load/sender';

/** Clients that read the results of their uploads late, slowly or never. Resolves when they have their results after all. */
export async function readSlowly(seed: number, number: number, outside: Outside): Promise<void> {
  const uploads = MANNERS.map((manner) => planUpload(seed, number, manner));
  await Promise.all(uploads.map((upload, i) => sendAndReadSlowly(upload, number + i, outside)));
}

async function sendAndReadSlowly(upload: PlannedUpload, turn: number, outside: Outside): Promise<void> {
  const { journal, apis, sent } = outside;
  const { manner, events } = upload;
  const to = apis[turn % apis.length] as string;
  const request = journal.nextRequest();
  for (const event of events) sent.set(event.name, event);
  const names = events.map(({ name }) => name);
  const nulls = names.map(() => null);
  const what = `stream ndjson by lines, read ${manner}`;
  journal.append({ kind: 'sent', request, to, what, names, codes: nulls, refused: nulls });
  const sentMs = journal.nowMs;
  const { kind: end, status, why, told } = await uploadSlowly(to, upload, correlationOf(request));
  journal.append({ kind: 'slow reader', request, to, manner, sentMs, end, why });
  if (end === 'strange') journal.append({ kind: 'strange', request, status: status ?? 0, text: why, told });
  else if (end === 'ended' || end === 'kept') journal.append({ kind: 'unanswered', request, reason: why, told });
  else journal.append({ kind: 'answered', request, status: status ?? 0, told });
  await sendAgain(upload, turn, outside);
}

/** The same events once each, read in time. All that is stored are duplicates now. */
async function sendAgain({ tenant, events }: PlannedUpload, turn: number, outside: Outside): Promise<void> {
  const records = events.map((event) => ({ event }));
  const how = { format: 'ndjson', key: undefined, lineByLine: true, gzip: false, cutShort: false } as const;
  await new Sender(outside, turn + 1).untilAnswered(streamOf({ tenant, records, ...how }));
}
