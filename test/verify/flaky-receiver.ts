import { answer, TestReceiver, type Reaction } from '../support/receiver';
import { payloadTextIn } from './facts';
import type { Journal } from './journal';
import { SeededRandom, seedFor } from './random';

const FAILURE_SHARE = 0.15;

interface Mood {
  status: number | undefined;
  react: Reaction;
}
const FINE: Mood = { status: 204, react: answer(204) };
const FAILURES: readonly Mood[] = [
  { status: 500, react: answer(500) },
  { status: 503, react: answer(503, { 'retry-after': '1' }) },
  { status: undefined, react: (response) => void response.socket?.destroy() },
  { status: undefined, react: () => undefined }, // until the timeout of the destination
];

/** A destination that sometimes fails; which delivery of which event, the seed says. */
export async function startFlakyReceiver(seed: number, journal: Journal): Promise<TestReceiver> {
  const receiver = await TestReceiver.start();
  receiver.reaction = (response, received) => {
    const name = (JSON.parse(received.body) as { subject: string }).subject;
    const random = new SeededRandom(seedFor(seed, `delivery ${received.nth} of ${name}`));
    const { status, react } = random.chance(FAILURE_SHARE) ? random.pick(FAILURES) : FINE;
    const webhookId = String(received.headers['webhook-id']);
    journal.append({ kind: 'delivered', webhookId, name, payloadText: payloadTextIn(received.body), status });
    react(response, received);
  };
  return receiver;
}
