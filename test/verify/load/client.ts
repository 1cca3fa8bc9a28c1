import { setTimeout as sleep } from 'node:timers/promises';
import { requestsOf, type PlannedRequest } from './requests/planned-request';
import { brokenSingleOf, singleOf } from './requests/single';
import { streamOf } from './requests/stream';
import { webhookOf } from './requests/webhook';
import { Sender, type Outside } from './sender';
import type { Sending } from './sending';

/** Sends the planned requests of one client, each unchanged again until it gets a final response. */
export class Client {
  private stopped = false;
  private readonly sender: Sender;

  constructor(
    private readonly seed: number,
    private readonly number: number,
    outside: Outside,
  ) {
    this.sender = new Sender(outside, number);
  }

  /** Sends until `stop`, then finishes the current request. */
  async run(): Promise<void> {
    for (const request of requestsOf(this.seed, this.number)) {
      if (this.stopped) return;
      await sleep(request.pauseMs);
      await this.send(request);
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async send(request: PlannedRequest): Promise<void> {
    if (request.kind === 'broken single') return this.untilAnswered(brokenSingleOf(request.tenant, request.broken));
    if (request.kind === 'single') {
      const single = singleOf(request.event);
      const copies = request.twice ? [single, single] : [single];
      await Promise.all(copies.map((copy) => this.untilAnswered(copy)));
      return;
    }
    if (request.kind === 'webhook') {
      const webhook = webhookOf(request.webhook);
      const copies = request.twice ? [webhook, webhook] : [webhook];
      await Promise.all(copies.map((copy) => this.untilAnswered(copy)));
      return;
    }
    const stream = streamOf(request.stream);
    await this.untilAnswered(stream);
    if (request.twice) await this.untilAnswered(stream);
  }

  private async untilAnswered(sending: Sending): Promise<void> {
    if (!(await this.sender.untilAnswered(sending))) this.stopped = true;
  }
}
