import type { SealedSource, Source } from '../../sources/directory/source';
import type { SourceChangeRequest, SourceRequest } from './sources.requests';

/** What an operator decides of a source, apart from its tenant and its secrets. */
export type SourceFields = Pick<
  Source,
  | 'name'
  | 'uid'
  | 'provider'
  | 'verification'
  | 'mapping'
  | 'answers'
  | 'accept'
  | 'handshake'
  | 'expectEverySeconds'
  | 'activeHours'
  | 'learnSilence'
  | 'allowUnverified'
  | 'status'
>;

type Given = Omit<SourceRequest, 'tenantId' | 'secrets'>;

/** The fields of a new source, or of one that is replaced as a whole. */
export function fieldsOf(request: Given): SourceFields {
  return {
    name: request.name,
    uid: request.uid ?? null,
    provider: request.provider,
    verification: request.verification ?? null,
    mapping: request.mapping ?? {},
    answers: request.answers ?? {},
    accept: request.accept ?? null,
    handshake: request.handshake ?? null,
    expectEverySeconds: request.expectEverySeconds ?? null,
    activeHours: request.activeHours ?? null,
    learnSilence: request.learnSilence ?? false,
    allowUnverified: request.allowUnverified ?? false,
    status: request.status ?? 'active',
  };
}

/** The fields of a source after a change. What the request leaves out stays. */
export function changedFields(source: SealedSource, change: SourceChangeRequest): SourceFields {
  const { name, uid, provider, verification, mapping, answers, accept, handshake } = source;
  const { expectEverySeconds, activeHours, learnSilence, allowUnverified, status } = source;
  const { secrets: _secrets, ...changed } = change;
  const before = { name, uid, provider, verification, mapping, answers, accept, handshake };
  const given = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
  return { ...before, expectEverySeconds, activeHours, learnSilence, allowUnverified, status, ...given };
}

/** A request as the audit trail records it: with the number of secrets in place of the secrets. */
export function secretsCounted({ secrets, ...rest }: { secrets?: readonly string[] }): object {
  return secrets === undefined ? rest : { ...rest, secrets: secrets.length };
}
