import { SeededRandom, seedFor } from '../../verify/load/random';
import type { Answer } from '../arrivals';
import type { Installation, ReceivingDestination } from '../installation';
import type { Report } from '../report';
import { send } from '../send';
import { reportDelivered, untilSettled } from '../settled';
import { sometimesBusy, tokenBucket } from '../token-bucket';

const SLOW_PER_SECOND = 5;
const FAST_PER_SECOND = 100;
const AT_ONCE = 5;
/** Of the rate that a receiver allows. */
const LEAST_SHARE = 0.8;
/** For the receiver that also refuses at random. */
const LEAST_BUSY_SHARE = 0.5;
const BUSY_SHARE = 0.04;

interface LimitedReceiver {
  tenant: string;
  perSecond: number;
  /** Of the events of the run. */
  times: number;
  leastShare: number;
  answer: (nowMs: number) => Answer;
}

const receivers = (): LimitedReceiver[] => {
  const slow = { perSecond: SLOW_PER_SECOND, times: 1, leastShare: LEAST_SHARE };
  const fast = tokenBucket(FAST_PER_SECOND, { retryAfter: true, atOnce: AT_ONCE });
  const seeded = new SeededRandom(seedFor(1, 'busy'));
  const random = (): number => seeded.next();
  return [
    {
      tenant: 'slow-with-retry-after',
      ...slow,
      answer: tokenBucket(SLOW_PER_SECOND, { retryAfter: true, atOnce: AT_ONCE }),
    },
    { tenant: 'slow-without', ...slow, answer: tokenBucket(SLOW_PER_SECOND, { retryAfter: false, atOnce: AT_ONCE }) },
    {
      tenant: 'busy-at-random',
      perSecond: FAST_PER_SECOND,
      times: 5,
      leastShare: LEAST_BUSY_SHARE,
      answer: sometimesBusy(BUSY_SHARE, fast, random),
    },
  ];
};

/**
 * Sends all events at once to receivers that answer 429 to what exceeds their rate. The settings and the destinations are
 * those by default: nothing tells StreamForge the rate.
 *
 * @param judgesShares false where the machine may be too slow for a promise about speed
 */
export async function rate(
  installation: Installation,
  { events, judgesShares = true }: { events: number; judgesShares?: boolean },
  report: Report,
): Promise<void> {
  await Promise.all(receivers().map((receiver) => one(installation, receiver, events, judgesShares, report)));
  report.exactly('processes that ended by themselves', installation.crashes.length, 0);
}

async function one(
  installation: Installation,
  { tenant, perSecond, times, leastShare, answer }: LimitedReceiver,
  events: number,
  judgesShares: boolean,
  report: Report,
): Promise<void> {
  const count = events * times;
  const destination = await installation.destination(tenant, 'limited', { answer });
  await send(installation.url, tenant, 0, count);
  await untilSettled(installation, tenant, count);
  reportShare(tenant, destination, { perSecond, leastShare: judgesShares ? leastShare : 0 }, report);
  await reportDelivered(installation, { tenant, destinationIds: [destination.id], events: count }, report);
}

function reportShare(
  tenant: string,
  { arrivals }: ReceivingDestination,
  { perSecond, leastShare }: { perSecond: number; leastShare: number },
  report: Report,
): void {
  const { accepted, requests, firstMs, lastAcceptedMs } = arrivals;
  const reached = (accepted.size * 1_000) / Math.max(1, lastAcceptedMs - firstMs);
  const share = reached / perSecond;
  const text = `${tenant}: ${reached.toFixed(2)}/s of ${perSecond}/s, a share of ${share.toFixed(2)}`;
  report.figure(
    `${text} (at least ${leastShare}); ${requests - accepted.size} requests were refused`,
    share >= leastShare,
  );
}
