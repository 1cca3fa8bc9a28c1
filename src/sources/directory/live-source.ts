import type { SecretBox } from '../../destinations/secrets/secret-box';
import type { Answers } from './answers';
import { compileFilter, type Filter } from '../../expressions/filter/compile-filter';
import { parsePointer } from '../../expressions/pointer';
import { effectiveRules } from './effective-source';
import { compileHandshakes, type CompiledHandshake } from '../handshakes/answer-handshake';
import { HANDSHAKES } from '../handshakes/handshakes';
import { maskOf } from '../inspector/mask';
import { KeptRequests } from '../request/kept-request';
import { compileMapping, type CompiledMapping } from '../mapping/compile-mapping';
import type { Provider } from '../providers/provider';
import { providerOf } from '../providers/providers';
import type { SealedSource } from './source';
import { sourceUnavailable } from './source-unavailable';
import type { CompiledVerifier, VerifierTools } from '../verification/verifier';
import type { Verification } from '../verification/verification';
import { compileVerifier, needsSecret } from '../verification/verifiers';
import { timeOfDayMs } from '../../event/time-of-day';

/** What rules the requests of a source, compiled once for each revision of the source. */
export interface SourceRules {
  provider: Provider | undefined;
  verification: Verification;
  verify: CompiledVerifier;
  mapping: CompiledMapping;
  accept: Filter | undefined;
  /** Members of a record that a retry may change, as paths. */
  changedByRetries: readonly (readonly string[])[] | undefined;
  answers: Answers;
  handshakes: readonly CompiledHandshake[];
  /** How its requests are kept and shown. */
  kept: KeptRequests;
  /** The live secrets, the newest first. */
  secrets: readonly string[];
  /** False while the source needs a secret and has none: its provider shows one only once it knows the URL. */
  canVerify: boolean;
}

/** A source as an api process holds it in memory. */
export class LiveSource {
  private compiled: { rules: SourceRules; untilMs: number } | undefined;

  constructor(
    readonly row: SealedSource,
    private readonly box: SecretBox,
    private readonly tools: VerifierTools,
  ) {}

  /** The form field that holds the body as JSON. */
  get jsonField(): string | undefined {
    return providerOf(this.row.provider)?.jsonField;
  }

  /** @throws the error of a rule that does not compile, or of a secret that cannot be opened */
  rules(): SourceRules {
    if (this.compiled && timeOfDayMs() < this.compiled.untilMs) return this.compiled.rules;
    const secondUntilMs = this.row.secondSecretUntil === null ? Infinity : Date.parse(this.row.secondSecretUntil);
    const isSecondLive = timeOfDayMs() < secondUntilMs;
    const sealed = isSecondLive ? this.row.secrets : this.row.secrets.slice(0, 1);
    const rules = this.compile(sealed.map((secret) => this.box.open(secret, this.row.id)));
    this.compiled = { rules, untilMs: isSecondLive ? secondUntilMs : Infinity };
    return rules;
  }

  private compile(secrets: readonly string[]): SourceRules {
    const { provider, verification, mapping, answers } = effectiveRules(this.row);
    const named = this.row.handshake === null ? undefined : HANDSHAKES[this.row.handshake];
    return {
      provider,
      verification,
      verify: compileVerifier(verification, secrets, this.tools),
      mapping: compileMapping(mapping),
      accept: this.row.accept === null ? undefined : filterOf(this.row.accept),
      changedByRetries: provider?.changedByRetries?.map(pathOf),
      answers,
      handshakes: compileHandshakes(named ?? provider?.handshakes ?? [], verification.scheme),
      kept: new KeptRequests(maskOf(verification, secrets), this.row.provider, verification.scheme),
      secrets,
      canVerify: secrets.length > 0 || !needsSecret(verification),
    };
  }
}

/** @throws Error for a filter that an earlier build has accepted and this one does not */
function filterOf(accept: object): Filter {
  const filter = compileFilter(accept);
  if ('errors' in filter) throw new Error(`accept${filter.errors[0]?.pointer} ${filter.errors[0]?.message}`);
  return filter;
}

function pathOf(pointer: string): string[] {
  const parsed = parsePointer(pointer);
  return 'segments' in parsed ? parsed.segments : [];
}

/** @throws Problem `source-unavailable` where the rules or a secret of the source cannot be used */
export function rulesOf(source: LiveSource): SourceRules {
  try {
    return source.rules();
  } catch (error) {
    const problem = sourceUnavailable(
      'The rules or the secret of the source cannot be used. An operator has to change them.',
    );
    problem.cause = error;
    throw problem;
  }
}
