import { Injectable } from '@nestjs/common';
import { Problem } from '../../event/problems';
import type { AllowedUrl } from '../fetching/allowed-url';
import { GuardedFetch } from '../fetching/guarded-fetch';
import type { SourceRules } from '../live-source';
import type { ReceivedRequest } from '../received-request';
import type { HandshakePlan } from './answer-handshake';

const RETRY_AFTER_SECONDS = 10;

/** Answers the requests with which providers check a URL. */
@Injectable()
export class HandshakeAnswers {
  constructor(private readonly fetcher: GuardedFetch) {}

  /**
   * Returns undefined for a request that is no handshake.
   * @param verified whether the request was verified: some handshakes must be, others are answered without
   * @throws Problem `provider-unavailable` if a confirmation fails, so that the provider tries again
   */
  async answer(
    request: ReceivedRequest,
    { handshakes, secrets }: Pick<SourceRules, 'handshakes' | 'secrets'>,
    verified: boolean,
  ): Promise<HandshakePlan['answer'] | undefined> {
    for (const handshake of handshakes) {
      const plan = handshake.verified === verified ? handshake.plan(request, secrets[0]) : undefined;
      if (!plan) continue;
      if (plan.confirm) await this.confirm(plan.confirm);
      return plan.answer;
    }
    return undefined;
  }

  private async confirm(url: AllowedUrl): Promise<void> {
    const problem = new Problem('provider-unavailable', 'The URL that confirms the subscription cannot be fetched.', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
    const { status } = await this.fetcher.get(url).catch((error: unknown) => {
      problem.cause = error;
      throw problem;
    });
    if (status >= 200 && status < 300) return;
    problem.cause = new Error(`${url.place} answered ${status}.`);
    throw problem;
  }
}
