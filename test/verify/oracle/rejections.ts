import type { Evidence } from '../evidence/evidence';
import { entriesOf, type EntryOf } from '../run/journal';
import { requestsIn } from './answers';
import { violation, type Violation } from './violation';

/** I14: broken records are rejected with the right code, no others are rejected, and the counts add up. */
export function checkRejections({ journal }: Evidence): Violation[] {
  const requests = requestsIn(journal);
  return entriesOf(journal, 'answered').flatMap((answer) => {
    const sent = requests.get(answer.request);
    return sent ? [...checkTold(answer, sent), ...checkCounts(answer, sent)] : [];
  });
}

function checkTold({ told }: EntryOf<'answered'>, { codes, what }: EntryOf<'sent'>): Violation[] {
  return told.flatMap(({ record, name, outcome, code }) => {
    const expected = codes[record - 1] ?? null;
    const found = outcome === 'rejected' || outcome === 'unverified' ? (code ?? '') : null;
    if (expected === found) return [];
    return [
      violation('rejection', `${name} (${what}) was ${found ?? 'accepted'}, not ${expected ?? 'accepted'}`, name),
    ];
  });
}

function checkCounts(
  { request, summary, lastCommittedRecord }: EntryOf<'answered'>,
  sent: EntryOf<'sent'>,
): Violation[] {
  if (!summary) return [];
  const { records, accepted, duplicates, rejected } = summary;
  const broken = sent.codes.slice(0, records).filter((code) => code !== null).length;
  const last = lastCommittedRecord ?? sent.names.length;
  const isRight = records === accepted + duplicates + rejected && rejected === broken && last === records;
  if (isRight) return [];
  const text = `request ${request} (${sent.what}): ${JSON.stringify({ summary, lastCommittedRecord })}, ${broken} records had to be rejected`;
  return [violation('rejection', text, ...sent.names)];
}
