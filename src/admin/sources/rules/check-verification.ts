import type { ErrorDetail } from '../../../event/problems';
import { SecretError } from '../../../sources/verification/secret-error';
import { TemplateError } from '../../../sources/request/template-parts';
import type { Verification } from '../../../sources/verification/verification';
import type { VerifierTools } from '../../../sources/verification/verifier';
import { compileVerifier, SCHEME_NAMES } from '../../../sources/verification/verifiers';
import { invalid, schemaErrors } from './schema-check';
import { SCHEME_SCHEMAS } from './verification-schema';

/** Returns what is wrong with a rule by itself: its scheme, its fields, and their templates. */
export function verificationErrors(rule: { scheme?: unknown }): ErrorDetail[] {
  const scheme = SCHEME_NAMES.find((name) => name === rule.scheme);
  if (scheme) return schemaErrors(SCHEME_SCHEMAS[scheme], rule, '/verification');
  const fault = rule.scheme === undefined ? 'is required' : `must be one of ${SCHEME_NAMES.join(', ')}`;
  return [invalid('/verification/scheme', fault)];
}

/** Returns what is wrong with the secrets for this rule, or with the rule where it can be compiled with no secret. */
export function secretErrors(
  rule: Verification,
  secrets: readonly string[],
  tools: VerifierTools,
  pointerOf: (index: number) => string,
): ErrorDetail[] {
  const alone = compileFault(rule, [], tools);
  if (alone) return [invalid(pointerTo(alone), alone.message)];
  return secrets.flatMap((secret, i) => {
    const fault = compileFault(rule, [secret], tools);
    return fault ? [invalid(fault instanceof SecretError ? pointerOf(i) : pointerTo(fault), fault.message)] : [];
  });
}

const pointerTo = (fault: TemplateError | SecretError): string =>
  `/verification${fault instanceof TemplateError ? fault.pointer : ''}`;

function compileFault(
  rule: Verification,
  secrets: readonly string[],
  tools: VerifierTools,
): TemplateError | SecretError | undefined {
  try {
    compileVerifier(rule, secrets, tools);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError || error instanceof SecretError) return error;
    throw error;
  }
}
