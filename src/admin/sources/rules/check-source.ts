import { findUnsupportedCharacter } from '../../../event/json/unsupported-characters';
import { Problem, type ErrorDetail } from '../../../event/problems';
import { compileFilter } from '../../../expressions/filter/compile-filter';
import { effectiveRules } from '../../../sources/directory/effective-source';
import { HANDSHAKES } from '../../../sources/handshakes/handshakes';
import { PROVIDERS, providerOf } from '../../../sources/providers/providers';
import { CUSTOM_PROVIDER } from '../../../sources/directory/source';
import type { VerifierTools } from '../../../sources/verification/verifier';
import { didYouMean } from '../../../event/did-you-mean';
import type { SourceFields } from '../source-fields';
import { answersErrors } from './check-answers';
import { mappingErrors } from './check-mapping';
import { secretErrors, verificationErrors } from './check-verification';
import { invalid } from './schema-check';

const MAX_BYTES = 32_768;

/** The secrets of a source, and where the request has them. */
export interface CheckedSecrets {
  texts: readonly string[];
  pointerOf: (index: number) => string;
}

/** @throws Problem `invalid-request` that lists what is wrong with a source */
export function refuseInvalid(fields: SourceFields, secrets: CheckedSecrets, tools: VerifierTools): void {
  const own = ownErrors(fields);
  const errors = own.length > 0 ? own : combinedErrors(fields, secrets, tools);
  if (errors.length === 0) return;
  throw new Problem('invalid-request', 'The source is invalid. See `errors`.', { errors });
}

/** @throws Problem `invalid-request` for a secret that does not fit the rules of its source */
export function refuseSecret(fields: SourceFields, secret: string, tools: VerifierTools): void {
  const errors = secretErrors(effectiveRules(fields).verification, [secret], tools, () => '/secret');
  if (errors.length > 0) throw new Problem('invalid-request', 'The secret is invalid. See `errors`.', { errors });
}

/** What is wrong with a field by itself. */
function ownErrors(fields: SourceFields): ErrorDetail[] {
  const { provider, verification, mapping, answers, handshake, accept } = fields;
  const unstorable = storageErrors({ verification, mapping, answers, accept });
  if (unstorable.length > 0) return unstorable;
  return [
    ...providerErrors(provider),
    ...(verification === null ? [] : verificationErrors(verification)),
    ...mappingErrors(mapping),
    ...answersErrors(answers),
    ...handshakeErrors(handshake),
    ...filterErrors(accept),
  ];
}

function storageErrors(objects: Record<string, object | null>): ErrorDetail[] {
  return Object.entries(objects).flatMap(([name, value]) => {
    if (value === null) return [];
    const character = findUnsupportedCharacter(value, `/${name}`);
    if (character !== undefined) return [invalid(character, 'must not contain U+0000 or a lone surrogate')];
    const bytes = Buffer.byteLength(JSON.stringify(value));
    return bytes > MAX_BYTES ? [invalid(`/${name}`, `must have at most ${MAX_BYTES} bytes as JSON`)] : [];
  });
}

function providerErrors(provider: string): ErrorDetail[] {
  if (provider === CUSTOM_PROVIDER || providerOf(provider)) return [];
  const meant = didYouMean(provider, [...PROVIDERS.map(({ id }) => id), CUSTOM_PROVIDER]);
  const hint = meant === undefined ? 'see GET /v1/admin/source-providers' : `did you mean ${meant}?`;
  return [invalid('/provider', `is neither a known provider nor ${CUSTOM_PROVIDER}; ${hint}`)];
}

function handshakeErrors(handshake: string | null): ErrorDetail[] {
  if (handshake === null || Object.hasOwn(HANDSHAKES, handshake)) return [];
  return [invalid('/handshake', `must be one of ${Object.keys(HANDSHAKES).join(', ')}`)];
}

function filterErrors(accept: object | null): ErrorDetail[] {
  if (accept === null) return [];
  const compiled = compileFilter(accept);
  if (!('errors' in compiled)) return [];
  return compiled.errors.map(({ pointer, message }) => invalid(`/accept${pointer}`, message));
}

/** What is wrong with the fields taken together. */
function combinedErrors(fields: SourceFields, secrets: CheckedSecrets, tools: VerifierTools): ErrorDetail[] {
  if (fields.provider === CUSTOM_PROVIDER && fields.verification === null) {
    return [invalid('/verification', `is required for the provider ${CUSTOM_PROVIDER}`)];
  }
  const { provider, verification, mapping } = effectiveRules(fields);
  const errors: ErrorDetail[] = [];
  if (provider?.format !== 'cloudevents') {
    for (const name of ['eventType', 'subject'] as const) {
      if (mapping[name] === undefined) errors.push(invalid(`/mapping/${name}`, 'is required'));
    }
  }
  if ('each' in verification && verification.each !== undefined && mapping.records !== verification.each) {
    errors.push(invalid('/mapping/records', 'must equal `verification.each`: other records are not verified'));
  }
  if (verification.scheme === 'none' && !fields.allowUnverified) {
    errors.push(
      invalid('/allowUnverified', 'must be true for the scheme none: whoever knows the URL can then send events'),
    );
  }
  return [...errors, ...secretErrors(verification, secrets.texts, tools, secrets.pointerOf)];
}
