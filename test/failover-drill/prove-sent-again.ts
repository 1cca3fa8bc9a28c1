import type { Report } from '../deliveries-proof/report';
import type { Producer, Sent } from './producer';

/** Sends events again, and proves how many were accepted, that the others were duplicates, and that no response is wrong. */
export async function proveSentAgain(
  producer: Producer,
  events: readonly Sent[],
  lost: readonly Sent[],
  expected: { accepted: number; trueDuplicates: number },
  report: Report,
): Promise<{ acceptedAgain: number; trueDuplicates: number }> {
  const { accepted, trueDuplicates, wrong } = await producer.sendAgain(events, new Set(lost));
  report.exactly('events accepted again', accepted, expected.accepted);
  report.exactly('true duplicates', trueDuplicates, expected.trueDuplicates);
  for (const one of wrong.slice(0, 20)) report.note(one);
  report.exactly('responses to events that were sent again, and are wrong', wrong.length, 0);
  return { acceptedAgain: accepted, trueDuplicates };
}
