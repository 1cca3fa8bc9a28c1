import { Injectable } from '@nestjs/common';
import { Problem } from '../../event/problems';
import type { AllowedUrl } from '../fetching/allowed-url';
import { GuardedFetch } from '../fetching/guarded-fetch';
import type { HandshakePlan } from './answer-handshake';

const RETRY_AFTER_SECONDS = 10;

/** Answers the requests with which providers check a URL. */
@Injectable()
export class HandshakeAnswers {
  constructor(private readonly fetcher: GuardedFetch) {}

  /**
   * Calls the URL that the provider wants to be called first, if there is one, and returns the answer.
   * @throws Problem `provider-unavailable` if that fails, so that the provider tries again
   */
  async carryOut({ confirm, answer }: HandshakePlan): Promise<HandshakePlan['answer']> {
    if (confirm) await this.confirm(confirm);
    return answer;
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
