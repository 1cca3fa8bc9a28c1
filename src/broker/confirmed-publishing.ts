import type { Installation } from '../integrity/installation';
import { withinDeadline } from '../runtime/deadline';
import type { OutgoingMessage, PublishOutcome } from './broker';

/**
 * Calls `publish`, unless the database in which the messages were claimed turns out not to be at home in this
 * installation. A channel stays open while the database behind it is replaced, so that what was true when the channel
 * opened says nothing. If it cannot be confirmed within `timeoutMs`, nothing is published, and the messages stay in the
 * outbox.
 *
 * @param publish gets the rest of `timeoutMs`; called at once where everything is confirmed
 */
export async function ifConfirmed(
  installation: Installation,
  messages: readonly OutgoingMessage[],
  timeoutMs: number,
  publish: (restMs: number) => Promise<PublishOutcome[]>,
): Promise<PublishOutcome[]> {
  const endMs = performance.now() + timeoutMs;
  for (const history of historiesOf(messages)) {
    const unconfirmed = installation.unconfirmed(history);
    if (unconfirmed === undefined) continue;
    try {
      await withinDeadline(Math.max(0, endMs - performance.now()), unconfirmed);
    } catch {
      return messages.map(() => 'unconfirmed'); // the installation itself says why, and so does the next claim
    }
  }
  return publish(Math.max(0, endMs - performance.now()));
}

/** Usually one: that of the claim. References to dead letters name none. */
function historiesOf(messages: readonly OutgoingMessage[]): Set<string | undefined> {
  const histories = new Set<string | undefined>();
  for (const { headers } of messages) histories.add(typeof headers.history === 'string' ? headers.history : undefined);
  return histories;
}
