import { ADMIN_TOKEN } from '../../../support/app';
import type { Journal } from '../../run/journal';
import { exchange } from '../exchange';

const TIMEOUT_MS = 5_000;

/** Sends admin requests. Each is sent once, even if no response arrives. */
export class Admin {
  private turn = 0;

  constructor(
    private readonly apis: readonly string[],
    private readonly journal: Journal,
  ) {}

  /** Returns the body of a 2xx response, otherwise undefined. Either way the journal keeps the response. */
  async ask(
    action: string,
    method: string,
    path: string,
    request: Record<string, unknown> = {},
  ): Promise<Record<string, unknown> | undefined> {
    const { apis, journal } = this;
    const id = `operator-${this.turn++}`;
    const sentMs = journal.nowMs;
    const sends = method !== 'GET' && Object.keys(request).length > 0;
    const headers = {
      'x-admin-token': ADMIN_TOKEN,
      'x-correlation-id': id,
      ...(sends ? { 'content-type': 'application/json' } : {}),
    };
    const url = `${apis[this.turn % apis.length]}/v1/admin/${path}`;
    const answer = await exchange(
      url,
      { method, headers, ...(sends && { body: JSON.stringify(request) }) },
      TIMEOUT_MS,
    );
    const status = answer.broken === undefined ? answer.status : undefined;
    const body =
      status !== undefined && answer.text !== '' ? (JSON.parse(answer.text) as Record<string, unknown>) : undefined;
    journal.append({ kind: 'operator', action, id, sentMs, request, status, body, text: answer.broken ?? '' });
    return status !== undefined && status < 300 ? (body ?? {}) : undefined;
  }
}
