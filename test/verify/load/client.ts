import { setTimeout as sleep } from 'node:timers/promises';
import { requestsOf, type PlannedRequest } from './requests/planned-request';
import { brokenSingleOf, singleOf } from './requests/single';
import { streamOf } from './requests/stream';
import { webhookOf } from './requests/webhook';
import { Sender, type Outside } from './sender';
import type { Sending } from './sending';

const AGAIN_AT_ONCE = 4;

/** Sends the planned requests of one client, each unchanged again until it gets a final response. */
export class Client {
  private stopped = false;
  private readonly sender: Sender;
  private begun = 0;

  /** @param plans only these requests of its plan are sent */
  constructor(
    private readonly seed: number,
    private readonly number: number,
    outside: Outside,
    private readonly plans: (request: PlannedRequest) => boolean = () => true,
  ) {
    this.sender = new Sender(outside, number);
  }

  /** Sends until `stop`, then finishes the current request. */
  async run(): Promise<void> {
    for (const request of this.planned()) {
      if (this.stopped) return;
      this.begun += 1;
      await sleep(request.pauseMs);
      await this.send(request);
    }
  }

  /** Sends everything once more that `run` has sent, some at a time. */
  async sendAgain(): Promise<void> {
    const planned = this.planned();
    let left = this.begun;
    const sendSome = async (): Promise<void> => {
      while (left-- > 0) await this.send(planned.next().value);
    };
    await Promise.all(Array.from({ length: AGAIN_AT_ONCE }, sendSome));
  }

  private *planned(): Generator<PlannedRequest, never> {
    const all = requestsOf(this.seed, this.number);
    for (;;) {
      const request = all.next().value;
      if (this.plans(request)) yield request;
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
