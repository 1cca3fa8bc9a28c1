import type { Redis } from 'ioredis';

const LOOK_EVERY_MS = 1_000;
/** Looks in a row before which nothing has arrived, although a PING was sent. */
const SILENT_LOOKS = 3;

/**
 * Destroys the connection when nothing arrives on it any more, so that ioredis opens another one. A firewall that has
 * forgotten a connection drops its packets without a word: every command would wait for its deadline, for ever. Each
 * look sends a PING, also on a subscription, which otherwise could not tell whether it is alive. Looks are counted
 * instead of seconds: a process that was stopped itself must not blame its connections.
 */
export function replaceWhenSilent(redis: Redis): void {
  let { stream } = redis as { stream: Redis['stream'] | undefined };
  let bytesRead = -1;
  let silentLooks = 0;
  const look = (): void => {
    const current = redis.stream as Redis['stream'] | undefined;
    const isSilent = current === stream && current?.bytesRead === bytesRead && !current.connecting;
    stream = current;
    bytesRead = current?.bytesRead ?? -1;
    silentLooks = isSilent ? silentLooks + 1 : 0;
    if (silentLooks >= SILENT_LOOKS) {
      silentLooks = 0;
      current?.destroy(new Error('nothing arrives on the connection any more'));
    } else if (redis.status === 'ready') {
      redis.ping().catch(() => undefined); // its answer is not needed, only that something arrives
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  redis.once('end', () => clearInterval(timer));
}
