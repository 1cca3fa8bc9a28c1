import { hash, timingSafeEqual } from 'node:crypto';
import { compileTemplate } from '../request/template';
import { compileList } from './signatures/each-record';
import { keyHint } from './key-hint';
import type { CompiledVerifier } from './verifier';
import { missing, refused, type Refused } from './verdict';
import type { TokenVerification } from './verification';

/** Whether two texts are equal, in a time that depends on neither: digests of equal length are compared. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** @throws TemplateError */
export function compileToken(rule: TokenVerification, secrets: readonly string[]): CompiledVerifier {
  const { header, query, prefix = '', each } = rule;
  const place = rule.value ?? (query === undefined ? `{header:${header}}` : `{query:${query}}`);
  const template = compileTemplate(place);
  const list = each === undefined ? undefined : compileList(each);
  return (request) => {
    const records = list ? list.itemsOf(request) : [undefined];
    if (!Array.isArray(records)) return records;
    let hint: string | undefined;
    for (const record of records) {
      const sent = template.render(request, record);
      if ('missing' in sent) return missing(sent.missing);
      const text = sent.text;
      const holder = text.startsWith(prefix) ? holderOf(text.slice(prefix.length), secrets) : undefined;
      if (holder === undefined) return wrongSecret(place, secrets.length);
      hint = keyHint(holder);
    }
    return { verified: true, keyHint: hint };
  };
}

/** Compares with all secrets, so that the time does not tell which one is right. */
export function holderOf(sent: string, secrets: readonly string[]): string | undefined {
  const right = secrets.filter((secret) => isSameText(sent, secret));
  return right[0];
}

export function wrongSecret(place: string, secretsTried: number): Refused {
  return refused('signature-invalid', `The value in ${place} is not a secret of this source.`, {
    secretsTried,
  });
}
