import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Mac } from '../integrity/mac';
import type { MacKeys } from '../integrity/mac-keys';
import type { Metrics } from '../observability/metrics';
import { MOST_FACT_BYTES, readSignedFact, signedFact } from './cached-fact';
import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';
import { SharedRounds } from './shared-rounds';

const PAUSE_AFTER_FAILURE_MS = 1_000;
/** Digests of one look-up, and facts of one script. A single call may exceed it. */
const MOST_AT_ONCE = 1_000;
/** Facts wait this long for others: no response depends on them. */
const REMEMBER_EVERY_MS = 5;

/**
 * Returns the position and the value of each key that has one, cut behind the longest fact: MGET would send a foreign
 * value of 512 MB, and the client would have to hold it. It costs the api as much as MGET. New events have none of their
 * keys, and that is found by one command: then it costs Redis 0.3 µs a key more, and 1.8 µs a key if there are hits.
 */
const LOOK_UP = `
  local hits, found = 0, {}
  for first = 1, #KEYS, ${MOST_AT_ONCE} do
    local last = math.min(first + ${MOST_AT_ONCE - 1}, #KEYS)
    hits = hits + redis.call('exists', unpack(KEYS, first, last))
  end
  if hits == 0 then return found end
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

interface Fact {
  digest: string;
  committed: CommittedEvent;
}

interface Commands {
  lookUpFacts(keys: number, ...names: string[]): Promise<(number | string)[]>;
  rememberFacts(keys: number, ...namesThenArguments: (string | number)[]): Promise<unknown>;
}

/**
 * Redis adapter. Its keys contain the incarnation of the database, so a restored or new database starts empty. Redis is
 * not trusted: a value that this installation has not signed for its key is counted and treated as a miss. Without the
 * installation key, nothing is looked up or remembered. Look-ups and facts of many requests travel together: one command
 * for each event took a third of the api's time.
 */
export class RedisCache extends IdempotencyCache {
  private readonly logger = new Logger('IdempotencyCache');
  private readonly commands: Commands;
  private pausedUntilMs = 0;
  private readonly lookups = new SharedRounds((digests: readonly string[]) => this.read(digests), {
    most: MOST_AT_ONCE,
  });
  private readonly facts = new SharedRounds((facts: readonly Fact[]) => this.write(facts), {
    most: MOST_AT_ONCE,
    gatherMs: REMEMBER_EVERY_MS,
  });

  constructor(
    private readonly redis: Redis,
    private readonly incarnation: () => Promise<string>,
    private readonly ttlSeconds: number,
    private readonly metrics: Metrics,
    private readonly keys: MacKeys,
  ) {
    super();
    redis.defineCommand('lookUpFacts', { lua: LOOK_UP });
    redis.defineCommand('rememberFacts', { lua: REMEMBER });
    this.commands = redis as unknown as Commands;
  }

  async lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    if (digests.length === 0) return found; // Redis rejects EXISTS without keys
    const read = await this.lookups.add(digests);
    for (const digest of read.size === 0 ? [] : digests) {
      const committed = read.get(digest);
      if (committed) found.set(digest, committed);
    }
    return found;
  }

  async remember(facts: readonly Fact[]): Promise<void> {
    if (facts.length > 0) await this.facts.add(facts);
  }

  private async read(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    await this.unlessPaused(async (prefix, mac) => {
      const names = digests.map((digest) => prefix + digest);
      const reply = await this.commands.lookUpFacts(names.length, ...names);
      let foreign = 0;
      for (let n = 0; n + 1 < reply.length; n += 2) {
        const i = Number(reply[n]) - 1; // Lua counts from 1
        const committed = readSignedFact(names[i] ?? '', String(reply[n + 1]), mac);
        if (committed) found.set(digests[i] as string, committed);
        else foreign += 1;
      }
      if (foreign > 0) this.doubt(foreign);
    });
    return found;
  }

  private async write(facts: readonly Fact[]): Promise<void> {
    await this.unlessPaused(async (prefix, mac) => {
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

  /** Treats a failure as a miss. Then skips Redis for a second, so that not every call waits for a dead server. */
  private async unlessPaused(work: (prefix: string, mac: Mac) => Promise<void>): Promise<void> {
    if (performance.now() < this.pausedUntilMs) return;
    try {
      const [incarnation, mac] = await Promise.all([this.incarnation(), this.keys.load()]);
      if (mac) await work(`streamforge:${incarnation}:key:`, mac);
    } catch (error) {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      this.logger.warn(`continuing without Redis: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
