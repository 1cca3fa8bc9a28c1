import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN_TOKEN } from '../../../support/app';
import type { Journal } from '../../run/journal';
import { exchange } from '../exchange';

const TIMEOUT_MS = 5_000;

const REPEATS = 6;
const PAUSE_BEFORE_REPEAT_MS = 500;
const PAUSE_BEFORE_ASKING_MS = 250;
const GIVE_UP_AFTER_MS = 120_000;

type Body = Record<string, unknown>;

/** Sends admin requests. */
export class Admin {
  private turn = 0;

  constructor(
    private readonly apis: readonly string[],
    private readonly journal: Journal,
  ) {}

  /** Sends a request once, even if no response arrives. Returns the body of a 2xx response, otherwise undefined. */
  ask(action: string, method: string, path: string, request: Body = {}): Promise<Body | undefined> {
    return this.send({ action, method, path, request, key: undefined });
  }

  /** Repeats a request with one idempotency key until its response arrives, and once more if `again` is set. */
  async act(action: string, path: string, request: Body, again: boolean): Promise<void> {
    const key = `key-${this.turn}`;
    let left = again ? 1 : 0;
    for (let i = 0; i < REPEATS; i++) {
      const done = await this.send({ action, method: 'POST', path, request, key });
      if (done && left-- === 0) return;
      await sleep(PAUSE_BEFORE_REPEAT_MS);
    }
  }

  /** Repeats a request until it is done. @throws if it keeps failing long after all servers are up again */
  async untilDone(...asked: Parameters<Admin['ask']>): Promise<Body> {
    for (const untilMs = Date.now() + GIVE_UP_AFTER_MS; ;) {
      const done = await this.ask(...asked);
      if (done) return done;
      if (Date.now() > untilMs) throw new Error(`${asked[0]} is never done`);
      await sleep(PAUSE_BEFORE_ASKING_MS);
    }
  }

  /** The journal keeps the response. */
  private async send(asked: {
    action: string;
    method: string;
    path: string;
    request: Body;
    key: string | undefined;
  }): Promise<Body | undefined> {
    const { apis, journal } = this;
    const { action, method, path, request, key } = asked;
    const id = `operator-${this.turn++}`;
    const sentMs = journal.nowMs;
    const sends = method !== 'GET' && Object.keys(request).length > 0;
    const headers = {
      'x-admin-token': ADMIN_TOKEN,
      'x-correlation-id': id,
      ...(sends ? { 'content-type': 'application/json' } : {}),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    const url = `${apis[this.turn % apis.length]}/v1/admin/${path}`;
    const answer = await exchange(
      url,
      { method, headers, ...(sends && { body: JSON.stringify(request) }) },
      TIMEOUT_MS,
    );
    const status = answer.broken === undefined ? answer.status : undefined;
    const body = status !== undefined && answer.text !== '' ? (JSON.parse(answer.text) as Body) : undefined;
    journal.append({ kind: 'operator', action, id, key, sentMs, request, status, body, text: answer.broken ?? '' });
    return status !== undefined && status < 300 ? (body ?? {}) : undefined;
  }
}
