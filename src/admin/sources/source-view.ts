import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SecretBox, UnopenedSecretError } from '../../destinations/secrets/secret-box';
import { SecretKey } from '../../destinations/secrets/secret-key';
import { effectiveRules } from '../../sources/directory/effective-source';
import { learnedStates, type LearnedState } from '../../silence/learned-state';
import { PublicUrl } from '../../sources/request/public-url';
import type { SealedSource } from '../../sources/directory/source';
import { hintOfSecret } from '../../sources/verification/key-hint';
import type { Scheme } from '../../sources/verification/verification';
import { needsSecret } from '../../sources/verification/verifiers';
import type { SourceResponse, SourceWithUrlResponse } from './sources.responses';
import { timeOfDayMs } from '../../event/time-of-day';

const NO_HINT = '…';

/** Shows sources without their secrets and tokens. */
@Injectable()
export class SourceView {
  constructor(
    private readonly pool: Pool,
    private readonly key: SecretKey,
    private readonly url: PublicUrl,
  ) {}

  async showAll(sources: readonly SealedSource[]): Promise<SourceResponse[]> {
    const box = await this.key.box();
    const states = await learnedStates(
      this.pool,
      sources.map(({ id, learnSilence }) => ({ subject: id, learnSilence })),
    );
    return sources.map((source) => this.shown(source, box, states.get(source.id) ?? null));
  }

  async show(source: SealedSource): Promise<SourceResponse> {
    const [shown] = await this.showAll([source]);
    return shown as SourceResponse;
  }

  /** Only for the response that makes the token. */
  async showWithUrl({ source, token }: { source: SealedSource; token: string }): Promise<SourceWithUrlResponse> {
    return { ...(await this.show(source)), url: this.url.ofSource(token) };
  }

  private shown(source: SealedSource, box: SecretBox, learned: LearnedState | null): SourceResponse {
    const {
      secrets,
      secondSecretUntil,
      tokenDigest: _token,
      previousTokenDigest: _previous,
      tokenHint,
      previousTokenUntil,
      revision: _revision,
      ...fields
    } = source;
    const isSecondOver = secondSecretUntil !== null && isPast(secondSecretUntil);
    const live = isSecondOver ? secrets.slice(0, 1) : secrets;
    const { verification } = effectiveRules(source);
    return {
      ...fields,
      learned,
      urlHint: this.url.ofSource(`…${tokenHint}`),
      previousUrlUntil: previousTokenUntil !== null && !isPast(previousTokenUntil) ? previousTokenUntil : null,
      secretHints: live.map((secret) => hintOf(box, secret, source.id, verification.scheme)),
      secondSecretUntil: isSecondOver ? null : secondSecretUntil,
      needsSecret: live.length === 0 && needsSecret(verification),
    };
  }
}

const isPast = (instant: string): boolean => Date.parse(instant) <= timeOfDayMs();

/** A secret that was sealed with a lost key has no hint. Its source can still be shown, and given a new one. */
function hintOf(box: SecretBox, sealed: Buffer, id: string, scheme: Scheme): string {
  try {
    return hintOfSecret(box.open(sealed, id), scheme) ?? NO_HINT;
  } catch (error) {
    if (error instanceof UnopenedSecretError) return NO_HINT;
    throw error;
  }
}
