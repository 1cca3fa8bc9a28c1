import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { Metrics } from '../observability/metrics';
import { LocalCounter } from './local-counter';
import { WINDOW_MS, WindowCounter, type Taken } from './window-counter';

const PAUSE_AFTER_FAILURE_MS = 1_000;
/** A busy process may miss one reply. Redis is taken for dead when it has not answered for this long. */
const FAILING_FOR_MS = 500;

/**
 * Reads the count of KEYS[1]: a number of up to 15 digits that expires within the window, ARGV[1]. Any other value was
 * not written by StreamForge; it is deleted. Earlier builds count in the same keys with INCRBY.
 */
const READ_COUNT = `
  local kind = redis.call('type', KEYS[1]).ok
  local left = redis.call('pttl', KEYS[1])
  local text = kind == 'string' and redis.call('getrange', KEYS[1], 0, 15) or ''
  local used, foreign = 0, 0
  if #text <= 15 and string.match(text, '^%d+$') and left >= 0 and left <= tonumber(ARGV[1]) then
    used = tonumber(text)
  elseif kind ~= 'none' then
    foreign = 1
    redis.call('del', KEYS[1])
    left = 0
  end`;

/** ARGV: window in ms, points wanted, limit. */
const TAKE = `${READ_COUNT}
  local granted = math.max(0, math.min(tonumber(ARGV[2]), tonumber(ARGV[3]) - used))
  if left <= 0 then
    left = tonumber(ARGV[1])
    used = 0
    granted = math.max(0, math.min(tonumber(ARGV[2]), tonumber(ARGV[3])))
    if granted > 0 then redis.call('set', KEYS[1], granted, 'PX', left) end
  elseif granted > 0 then
    redis.call('incrby', KEYS[1], granted)
  end
  return {granted, used + granted, left, foreign}`;

/**
 * ARGV: window in ms, points, how long their window still lasts. A window that ends more than ten seconds earlier or
 * later is another one: only the time that the command was on its way can lie between the two numbers.
 */
const GIVE_BACK = `${READ_COUNT}
  if left > 0 and math.abs(left - tonumber(ARGV[3])) < 10000 then
    redis.call('decrby', KEYS[1], math.min(used, tonumber(ARGV[2])))
  end
  return foreign`;

interface Commands {
  takePoints(key: string, windowMs: number, wanted: number, upTo: number): Promise<unknown>;
  givePointsBack(key: string, windowMs: number, points: number, endsInMs: number): Promise<unknown>;
}

/**
 * Counts in Redis, for all api processes of an installation together. While Redis is down, each process counts for itself,
 * from the counts that it has last seen.
 */
export class RedisCounter extends WindowCounter {
  private readonly logger = new Logger('RateLimit');
  private readonly standIn = new LocalCounter();
  private readonly commands: Commands;
  private pausedUntilMs = 0;
  private failingSinceMs: number | undefined;

  constructor(
    redis: Redis,
    private readonly prefix: string,
    private readonly metrics: Metrics,
    /** Whose counts these are; undefined while that is not known. */
    private readonly owner: () => string | undefined = () => '',
  ) {
    super();
    redis.defineCommand('takePoints', { numberOfKeys: 1, lua: TAKE });
    redis.defineCommand('givePointsBack', { numberOfKeys: 1, lua: GIVE_BACK });
    this.commands = redis as unknown as Commands;
    redis.on('ready', () => (this.pausedUntilMs = 0));
  }

  async take(key: string, wanted: number, upTo: number): Promise<Taken> {
    const name = this.nameOf(key);
    if (name === undefined || performance.now() < this.pausedUntilMs) return this.standIn.take(key, wanted, upTo);
    try {
      const reply = await this.commands.takePoints(name, WINDOW_MS, wanted, upTo);
      const [granted, used, endsInMs, foreign] = readCounts(reply, wanted);
      if (foreign) this.metrics.foreignValues.inc({ place: 'limit' });
      this.failingSinceMs = undefined;
      this.standIn.follow(key, used, endsInMs);
      return { granted, used, endsInMs, counter: this };
    } catch (error) {
      this.failed(error);
      return this.standIn.take(key, wanted, upTo);
    }
  }

  giveBack(key: string, points: number, endsInMs: number): void {
    const name = this.nameOf(key);
    if (endsInMs <= 0 || name === undefined) return;
    this.commands
      .givePointsBack(name, WINDOW_MS, points, Math.ceil(endsInMs))
      .catch((error: unknown) => this.failed(error));
  }

  private nameOf(key: string): string | undefined {
    const owner = this.owner();
    return owner === undefined ? undefined : `${this.prefix}${owner === '' ? '' : `${owner}:`}${key}`;
  }

  /** Skips Redis for a second if it keeps failing, so that not every call waits for a dead server. */
  private failed(error: unknown): void {
    const nowMs = performance.now();
    const text = `counting in this process: ${error instanceof Error ? error.message : String(error)}`;
    if (this.failingSinceMs === undefined) this.logger.warn(text);
    else this.logger.debug(text);
    this.failingSinceMs ??= nowMs;
    if (nowMs - this.failingSinceMs >= FAILING_FOR_MS) this.pausedUntilMs = nowMs + PAUSE_AFTER_FAILURE_MS;
  }
}

/** @throws Error for a reply that the script cannot have given */
function readCounts(
  reply: unknown,
  wanted: number,
): [granted: number, used: number, endsInMs: number, foreign: number] {
  const [granted, used, endsInMs, foreign] = Array.isArray(reply) ? (reply as unknown[]) : [];
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount(granted) || !isCount(used) || !isCount(endsInMs) || !isCount(foreign) || granted > wanted) {
    throw new Error('an unexpected reply');
  }
  return [granted, used, Math.max(1, endsInMs), foreign];
}
