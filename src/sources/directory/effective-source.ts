import type { Answers } from './answers';
import type { Mapping } from '../mapping/mapping';
import { providerOf } from '../providers/providers';
import type { Provider } from '../providers/provider';
import type { Source } from './source';
import type { Verification } from '../verification/verification';

/** What rules the requests of a source: its own rules, and those of its preset for what it leaves open. */
export interface EffectiveRules {
  provider: Provider | undefined;
  verification: Verification;
  mapping: Mapping;
  answers: Answers;
}

/** A source of a provider that this build does not know, after a downgrade, takes nothing without rules of its own. */
const NOTHING: Verification = { scheme: 'token', value: '{header:streamforge-no-such-header}' };

export function effectiveRules(
  source: Pick<Source, 'provider' | 'verification' | 'mapping' | 'answers'>,
): EffectiveRules {
  const provider = providerOf(source.provider);
  const verification = source.verification ?? provider?.verification ?? NOTHING;
  return {
    provider,
    verification,
    mapping: { ...provider?.mapping, ...source.mapping },
    answers: { ...provider?.answers, ...source.answers },
  };
}
