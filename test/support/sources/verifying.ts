import { X509Certificate } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { Problem } from '../../../src/event/problems';
import type { Verdict } from '../../../src/sources/verification/verdict';
import type { Verification } from '../../../src/sources/verification/verification';
import type { VerifierTools } from '../../../src/sources/verification/verifier';
import { compileVerifier } from '../../../src/sources/verification/verifiers';
import { received, type Sent } from './received';

/** The keys that providers serve in a test, by URL, and which URLs were asked for. */
export class ServedKeys implements VerifierTools {
  readonly asked: string[] = [];

  constructor(
    private readonly certificates: Record<string, string> = {},
    private readonly keySets: Record<string, JSONWebKeySet> = {},
  ) {}

  certificate({ href }: { href: string }): Promise<X509Certificate> {
    return this.read(href, this.certificates, (pem) => new X509Certificate(pem));
  }

  keySet({ href }: { href: string }, refresh?: boolean): ReturnType<VerifierTools['keySet']> {
    return this.read(refresh ? `${href}#new` : href, this.keySets, createLocalJWKSet);
  }

  private async read<T, R>(url: string, from: Record<string, T>, parse: (value: T) => R): Promise<R> {
    this.asked.push(url);
    await Promise.resolve();
    const value = from[url];
    if (value === undefined) throw new Problem('provider-unavailable', 'down');
    return parse(value);
  }
}

/** Verifies one request. */
export async function verified(
  rule: Verification,
  secrets: readonly string[],
  sent: Sent,
  keys: VerifierTools = new ServedKeys(),
): Promise<Verdict> {
  return compileVerifier(rule, secrets, keys)(received(sent));
}

/** `ok`, or why a request was refused. */
export async function codeOf(...args: Parameters<typeof verified>): Promise<string> {
  const verdict = await verified(...args);
  return verdict.verified ? 'ok' : verdict.code;
}
