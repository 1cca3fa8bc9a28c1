import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Mac } from '../integrity/mac';
import type { MacKeys } from '../integrity/mac-keys';
import type { Metrics } from '../observability/metrics';
import { DeadlineExceeded, withinDeadline } from '../runtime/deadline';
import { MOST_FACT_BYTES, readSignedFact, signedFact } from './cached-fact';
import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';

const PAUSE_AFTER_FAILURE_MS = 1_000;
/** A batch waits no longer for a look-up: PostgreSQL decides what the cache has not. */
const LOOK_UP_WITHIN_MS = 100;

/**
 * Returns the position and the value of each key that has one, cut behind the longest fact: MGET would send a foreign
 * value of 512 MB, and the client would have to hold it.
 */
const LOOK_UP = `
  local found = {}
  for i, key in ipairs(KEYS) do
    local text = redis.pcall('getrange', key, 0, ${MOST_FACT_BYTES})
    if type(text) == 'string' and text ~= '' then
      found[#found + 1] = i
      found[#found + 1] = text
    end
  end
  return found`;

/** ARGV: seconds to live, then the value of each key. */
const REMEMBER = `for i, key in ipairs(KEYS) do redis.call('set', key, ARGV[i + 1], 'EX', ARGV[1]) end`;

interface Found {
  names: string[];
  /** The position and the value of each key that has one. */
  reply: (number | string)[];
  mac: Mac | undefined;
}

interface Commands {
  lookUpFacts(keys: number, ...names: string[]): Promise<(number | string)[]>;
  rememberFacts(keys: number, ...namesThenArguments: (string | number)[]): Promise<unknown>;
}

/**
 * Redis adapter. Its keys contain the incarnation of the database, so a restored or new database starts empty. Redis is
 * not trusted: a value that this installation has not signed for its key is counted and treated as a miss. Without the
 * installation key, nothing is looked up or remembered. The keys of a batch travel together: one command for each event
 * took a third of the api's time.
 */
export class RedisCache extends IdempotencyCache {
  private readonly logger = new Logger('IdempotencyCache');
  private readonly commands: Commands;
  private pausedUntilMs = 0;

  constructor(
    private readonly redis: Redis,
    private readonly incarnation: () => Promise<string>,
    private readonly ttlSeconds: number,
    private readonly metrics: Metrics,
    private readonly keys: MacKeys,
    private readonly lookUpWithinMs = LOOK_UP_WITHIN_MS,
  ) {
    super();
    redis.defineCommand('lookUpFacts', { lua: LOOK_UP });
    redis.defineCommand('rememberFacts', { lua: REMEMBER });
    this.commands = redis as unknown as Commands;
  }

  async lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    if (digests.length === 0) return found; // Redis rejects EXISTS without keys
    await this.unlessPaused(async () => {
      const { names, reply, mac } = await inTime(this.read(digests), this.lookUpWithinMs);
      let foreign = 0;
      for (let n = 0; n + 1 < reply.length; n += 2) {
        const i = Number(reply[n]) - 1; // Lua counts from 1
        const committed = mac && readSignedFact(names[i] ?? '', String(reply[n + 1]), mac);
        if (committed) found.set(digests[i] as string, committed);
        else foreign += 1;
      }
      if (foreign > 0) this.doubt(foreign);
    });
    return found;
  }

  /** New events have none of their keys, which EXISTS finds for a tenth of what the script costs Redis. */
  private async read(digests: readonly string[]): Promise<Found> {
    const { prefix, mac } = await this.signing();
    const names = digests.map((digest) => prefix + digest);
    if (!mac || (await this.redis.exists(...names)) === 0) return { names, mac, reply: [] };
    return { names, mac, reply: await this.commands.lookUpFacts(names.length, ...names) };
  }

  async remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void> {
    if (facts.length === 0) return;
    await this.unlessPaused(async () => {
      const { prefix, mac } = await this.signing();
      if (!mac) return;
      const names = facts.map(({ digest }) => prefix + digest);
      const values = facts.map(({ committed }, i) => signedFact(names[i] as string, committed, mac));
      await this.commands.rememberFacts(names.length, ...names, this.ttlSeconds, ...values);
    });
  }

  async ping(): Promise<void> {
    await this.redis.ping();
  }

  close(): Promise<void> {
    this.redis.disconnect();
    return Promise.resolve();
  }

  /** They may be signed with a key that another process has stored lately: the next look-up knows it. */
  private doubt(values: number): void {
    this.metrics.foreignValues.inc({ place: 'cache' }, values);
    this.keys
      .reload()
      .catch((error: Error) => this.logger.debug(`could not read the installation key: ${error.message}`));
  }

  private async signing(): Promise<{ prefix: string; mac: Mac | undefined }> {
    const [incarnation, mac] = await Promise.all([this.incarnation(), this.keys.load()]);
    return { prefix: `streamforge:${incarnation}:key:`, mac };
  }

  /** Treats a failure as a miss. Then skips Redis for a second, so that not every call waits for a dead server. */
  private async unlessPaused(work: () => Promise<void>): Promise<void> {
    if (performance.now() < this.pausedUntilMs) return;
    try {
      await work();
    } catch (error) {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      this.logger.warn(`continuing without Redis: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** @throws DeadlineExceeded. A reply that arrived while this process was busy counts. */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let done = false;
  work.then(
    () => (done = true),
    () => (done = true),
  );
  try {
    return await withinDeadline(ms, work);
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error;
    await nextTurn();
    if (!done) throw error;
    return work;
  }
}
