import { randomUUID } from 'node:crypto';
import { Redis, type ChainableCommander } from 'ioredis';
import { eventIdKey } from '../../../src/event/identity/idempotency-key';
import { SeededRandom } from '../load/random';
import { tenantOf } from '../load/tenants';

const FACTS = 'streamforge:*:key:*';
/** Counts of the limits per tenant and per operator. */
const COUNTS = ['streamforge:tenant-*', 'streamforge:admin-*'];
const NO_COUNTS = ['x', '-1', '1e3', '9'.repeat(400), ''];
const WAKE_UP_CHANNELS = 'streamforge:outbox:*';
/** Facts that are forged, each in its own way. As many others are swapped. */
const MOST = 300;
/** Events of each client that are not sent yet, and for whose keys facts are forged. */
const TO_COME = 20;
const TTL_SECONDS = 3_600;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const GARBAGE = ['{}', '[]', '"x"', 'null', '{"id":1}', '{"id":', 'not JSON', '0', '', 'x'.repeat(100_000)];

/** What a neighbour may write in place of a true fact. */
export type FactForgery = (fact: string, random: SeededRandom) => string;

const ofNobody: FactForgery = (fact) => fact.replace(UUID, randomUUID());
/** As the build before wrote it. */
const unsigned: FactForgery = (fact) => fact.slice(Math.max(0, fact.indexOf('{')));

/** None of them may be believed. */
export const FACT_FORGERIES: readonly FactForgery[] = [
  (_, random) => random.pick(GARBAGE),
  ofNobody,
  (fact, random) => ofNobody(unsigned(fact, random), random),
  unsigned,
  (fact, random) => fact.slice(0, random.between(0, fact.length - 1)),
  (fact, random) => fact.slice(random.between(1, fact.length)),
  withAnotherCharacter,
  (fact) => fact.replace('}', ',"more":"x"}'),
  (fact) => fact.replace(/^\d+ /, '9 '),
  (fact) => `${fact} `,
];

function withAnotherCharacter(text: string, random: SeededRandom): string {
  const at = random.between(0, text.length - 1);
  return `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
}

/** Names of events that clients will send next. @param sent names such as `north-0-17` */
export function namesToCome(sent: Iterable<string>): string[] {
  const next = new Map<string, number>();
  for (const name of sent) {
    const [, client, n] = /^(.+-\d+)-(\d+)$/.exec(name) ?? [];
    if (client !== undefined) next.set(client, Math.max(next.get(client) ?? 0, Number(n) + 1));
  }
  return [...next].flatMap(([client, first]) => Array.from({ length: TO_COME }, (_, i) => `${client}-${first + i}`));
}

/**
 * Does what somebody who may write to Redis can: overwrites cached facts with forgeries and with the facts of other keys,
 * invents facts for the keys of events that nobody has sent yet, and leaves no count of a limit as it was.
 */
export async function forgeFacts(redisUrl: string, seed: number, sent: Iterable<string>): Promise<void> {
  const random = new SeededRandom(seed);
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    commandTimeout: 2_000,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys = random.shuffled(await keysLike(redis, FACTS)).slice(0, 2 * MOST);
    if (keys.length > 0) await overwriteFacts(redis, keys, { random, sent });
    await overwriteCounts(redis, random);
  } catch (error) {
    if (!/connect|closed|timed out|ECONN|retries|LOADING/i.test(String(error))) throw error;
  } finally {
    redis.disconnect();
  }
}

async function overwriteFacts(
  redis: Redis,
  keys: readonly string[],
  { random, sent }: { random: SeededRandom; sent: Iterable<string> },
): Promise<void> {
  const facts = (await redis.mget([...keys])).map((fact) => fact ?? '{}');
  const writing = redis.pipeline();
  for (const [i, key] of keys.entries()) {
    const fact = facts[i] as string;
    const forged = i < MOST ? random.pick(FACT_FORGERIES)(fact, random) : (facts[i ^ 1] ?? fact);
    write(writing, key, forged);
  }
  const [first = ''] = keys;
  const prefix = first.slice(0, first.lastIndexOf(':') + 1);
  for (const name of namesToCome(sent)) {
    const fact = random.pick(facts);
    const forged = random.chance(0.5) ? fact : ofNobody(fact, random);
    writing.set(`${prefix}${eventIdKey(tenantOf(name), name)}`, forged, 'EX', TTL_SECONDS, 'NX');
  }
  await writing.exec();
}

async function overwriteCounts(redis: Redis, random: SeededRandom): Promise<void> {
  const writing = redis.pipeline();
  const channels = (await redis.pubsub('CHANNELS', WAKE_UP_CHANNELS)) as string[];
  for (const channel of channels) writing.publish(channel, 'x'.repeat(100_000));
  for (const pattern of COUNTS) {
    for (const key of await keysLike(redis, pattern)) write(writing, key, random.pick(NO_COUNTS));
  }
  await writing.exec();
}

/** The empty text stands for a value that is no string. */
function write(writing: ChainableCommander, key: string, text: string): void {
  if (text === '') writing.del(key).rpush(key, 'no string');
  else writing.set(key, text, 'KEEPTTL');
}

async function keysLike(redis: Redis, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor = '0'; ;) {
    const [next, found] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000);
    keys.push(...found);
    cursor = next;
    if (cursor === '0' || keys.length >= 10 * MOST) return keys;
  }
}
