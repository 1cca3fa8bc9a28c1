import type { SourceAnswer } from '../../sources/directory/answers';
import type { Mapping, MappingValue } from '../../sources/mapping/mapping';
import type { Provider } from '../../sources/providers/provider';
import type { HmacVerification, PublicKeyVerification, Verification } from '../../sources/verification/verification';
import { markdownTable, withinMarks } from './markdown-table';

/** Returns the page with the tables of all presets. @throws if the page has no marks for them */
export function withProviderTables(page: string, providers: readonly Provider[]): string {
  const sorted = providers.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const withVerification = withinMarks(page, 'provider-verification', verificationTable(sorted));
  return withinMarks(withVerification, 'provider-mapping', mappingTable(sorted));
}

function verificationTable(providers: readonly Provider[]): string {
  return markdownTable(
    ['provider', 'verification', 'secrets', 'handshakes', 'answer', 'proved by', 'checked on'],
    providers.map((provider) => [
      `[${code(provider.id)}](${provider.documentation})`,
      verificationText(provider.verification),
      provider.secret,
      (provider.handshakes ?? []).map(({ name }) => name).join(', '),
      answerText(provider.answers?.accepted),
      provider.proof,
      provider.checkedOn,
    ]),
  );
}

function mappingTable(providers: readonly Provider[]): string {
  const value = (mapping: Mapping, field: keyof Mapping): string => {
    const found = mapping[field];
    return found === undefined ? '' : valueText(found);
  };
  return markdownTable(
    ['provider', 'list of a batch', 'eventType', 'subject', 'eventId', 'occurredAt', 'payload'],
    providers.map(({ id, mapping, format }) => {
      const fields = ['records', 'eventType', 'subject', 'eventId', 'occurredAt', 'payload'] as const;
      const cells = fields.map((field) => value(mapping, field));
      return [code(id), ...(format === 'cloudevents' ? ['', ...fields.slice(1).map(() => 'CloudEvents')] : cells)];
    }),
  );
}

/** The empty pointer is the whole body. */
function valueText(value: MappingValue): string {
  if (value === '') return 'the body';
  if (typeof value === 'string') return code(value);
  return 'template' in value ? code(value.template) : value.map(valueText).join(', else ');
}

/** A bar would end the cell, even in code. */
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

function answerText(answer: SourceAnswer | undefined): string {
  if (!answer) return '';
  return answer.body ? `${answer.status} ${code(answer.body)}` : `${answer.status}, empty`;
}

function verificationText(rule: Verification): string {
  const { scheme } = rule;
  if (scheme === 'none') return 'none';
  if (scheme === 'basic') return 'HTTP basic authentication';
  if (scheme === 'token') return `token in ${placeOf(rule)}`;
  if (scheme === 'jwt') return `JWT (${rule.algorithms.join(', ')}) in ${code(rule.header ?? 'authorization')}`;
  return signatureText(rule);
}

function signatureText(rule: HmacVerification | PublicKeyVerification): string {
  const { scheme, signed, each, timestamp } = rule;
  const algorithm = typeof rule.algorithm === 'string' ? ` ${rule.algorithm}` : '';
  const parts = [`${scheme}${algorithm} of ${code(signed)}, in ${rule.encoding} in ${placeOf(rule)}`];
  if (each !== undefined) parts.push(`for each item of ${code(each)}`);
  if (rule.bodyDigest) parts.push(`${rule.bodyDigest.algorithm} of the body in ${code(rule.bodyDigest.value)}`);
  if (timestamp) parts.push(`${timestamp.toleranceSeconds} s`);
  return parts.join('; ');
}

interface Place {
  header?: string;
  query?: string;
  part?: string;
  signature?: string;
  value?: string;
}

function placeOf({ header, query, part, signature, value }: Place): string {
  const template = signature ?? value ?? (query === undefined ? undefined : `{query:${query}}`);
  return code(template ?? [header, part].filter((one) => one !== undefined).join('/'));
}
