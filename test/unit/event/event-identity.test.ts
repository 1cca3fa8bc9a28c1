import * as fc from 'fast-check';
import { decideDuplicate } from '../../../src/event/identity/decide-duplicate';
import { prepareBinary, prepareStructured } from '../../../src/event/cloud-event/prepare-cloud-event';
import { canonicalJson } from '../../../src/event/json/canonical-json';
import { prepareEvent, type PreparedEvent, type PrepareResult } from '../../../src/event/prepare-event';
import { RULES } from '../../support/events';

const CONTEXT = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };

/** One event as it is sent, and a text that is equal for two of them only if they are the same event. */
interface Sent {
  prepared: PreparedEvent;
  meaning: string;
}

function sent(made: PrepareResult, meaning: unknown): Sent {
  if ('rejection' in made) throw new Error(made.rejection.message);
  return { prepared: made.prepared, meaning: canonicalJson(meaning) };
}

/** Writes members in a random order, with white space. */
const shuffled = (members: [string, string][]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.shuffledSubarray(members, { minLength: members.length, maxLength: members.length }),
      fc.constantFrom('', ' ', '\n'),
    )
    .map(([all, gap]) => `{${all.map(([name, json]) => `${gap}"${name}"${gap}:${gap}${json}`).join(',')}${gap}}`);

/** JSON texts that are easily taken for each other. Each has another meaning. */
const VALUES = ['null', '0', '1', '"1"', '1.5', '""', '[]', '[1]', '{}', '{"a":1}', '{"a":2}', '{"a":"1"}', '{"b":1}'];
const REPEATING = ['{"a":1,"a":2}', '{"a":2,"a":1}', '{"a":1,"a":1}', '{"a":{"a":1},"a":1}'];
const LARGE = ['9007199254740992', '9007199254740993', '1e400', '1e401'];
const value = fc.constantFrom(...VALUES, ...REPEATING, ...LARGE);
const WRAPPED = ['{"@contentType":"text/plain","@text":"1"}', '{"@contentType":"application/json","@base64":"MQ=="}'];

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 1 });
const textMember = (...texts: string[]) => maybe(fc.constantFrom(...texts));

const envelope: fc.Arbitrary<Sent> = fc
  .record({
    eventId: textMember('1', '2'),
    source: textMember('/a', '/b'),
    partitionKey: textMember('p'),
    occurredAt: textMember('2026-01-01T00:00:00Z', '2026-01-01T00:00:00.0001Z'),
    schemaVersion: textMember('2.0.0'),
    payload: value,
  })
  .chain(({ payload, ...texts }) => {
    const given = Object.entries(texts).filter(([, text]) => text !== undefined);
    const fields = given.map(([name, text]): [string, string] => [name, JSON.stringify(text)]);
    const all: [string, string][] = [['eventType', '"t"'], ['subject', '"s"'], ['payload', payload], ...fields];
    return shuffled(all).map((text) =>
      sent(prepareEvent(Buffer.from(text), CONTEXT, RULES), {
        kind: 'envelope',
        payload,
        ...Object.fromEntries(given),
      }),
    );
  });

const attributes = fc.record({
  id: fc.constantFrom('1', '2'),
  source: fc.constantFrom('/a', '/b'),
  subject: textMember('s', 't'),
  dataschema: textMember('urn:x', 'urn:y'),
  ext: textMember('1', '2'),
  other: textMember('1'),
});
const defined = (members: Record<string, string | undefined>): [string, string][] =>
  Object.entries(members).filter((member): member is [string, string] => member[1] !== undefined);

const structured: fc.Arbitrary<Sent> = fc
  .record({
    attributes,
    number: textMember('1', 'true'),
    data: fc.oneof(
      fc.record({
        data: fc.oneof(value, fc.constantFrom(...WRAPPED)),
        type: textMember('application/json', 'a/x+json'),
      }),
      fc.record({
        data: fc.constantFrom('"1"', '"<a/>"', ...WRAPPED),
        type: fc.constantFrom('text/plain', 'text/xml'),
      }),
      fc.record({ base64: fc.constantFrom('MQ==', 'AP8='), type: textMember('text/plain', 'application/json') }),
    ),
  })
  .chain(({ attributes: given, number, data }) => {
    const json = defined(given).map(([name, text]): [string, string] => [name, JSON.stringify(text)]);
    const { type } = data;
    const all: [string, string][] = [
      ['specversion', '"1.0"'],
      ['type', '"t"'],
      ...json,
      ...(number === undefined ? [] : [['count', number] as [string, string]]),
      ...(type === undefined ? [] : [['datacontenttype', JSON.stringify(type)] as [string, string]]),
      'base64' in data ? ['data_base64', `"${data.base64}"`] : ['data', data.data],
    ];
    const isText = type?.startsWith('text/') && 'data' in data && data.data.startsWith('"');
    return shuffled(all).map((text) =>
      sent(prepareStructured(Buffer.from(text), CONTEXT, RULES), {
        kind: 'CloudEvent',
        ...Object.fromEntries(defined(given)),
        number: number ?? null,
        type: type ?? 'application/json',
        data: isText ? { text: JSON.parse(data.data) as string } : { ...data, type: null },
      }),
    );
  });

const binary: fc.Arbitrary<Sent> = fc
  .record({
    attributes,
    data: fc.oneof(
      fc.record({ body: value, type: textMember('application/json', 'a/x+json', 'application/json; charset=utf-8') }),
      fc.record({ body: fc.constantFrom('1', '<a/>', ...WRAPPED), type: fc.constantFrom('text/plain', 'text/xml') }),
    ),
  })
  .map(({ attributes: given, data: { body, type } }) => {
    const own = Object.fromEntries(defined(given).map(([name, text]) => [`ce-${name}`, text]));
    const headers = { 'ce-specversion': '1.0', 'ce-type': 't', ...own, 'content-type': type };
    return sent(prepareBinary(headers, Buffer.from(body), CONTEXT, RULES), {
      kind: 'CloudEvent',
      ...Object.fromEntries(defined(given)),
      number: null,
      type: type === undefined || type.startsWith('application/json') ? 'application/json' : type,
      data: type?.startsWith('text/') ? { text: body } : { data: body, type: null },
    });
  });

/** True when the second event would be a duplicate of the first: not a new event, and not a conflict. */
function areOne(first: PreparedEvent, second: PreparedEvent): boolean {
  if (first.keyDigest !== second.keyDigest) return false;
  const { id, eventId } = first.event;
  const holder = { id, eventId, fingerprint: first.fingerprint };
  return decideDuplicate(second, holder, undefined).kind === 'duplicate';
}

describe('two events', () => {
  const either = fc.oneof(envelope, structured, binary);

  it.each([
    ['envelopes', envelope, envelope],
    ['structured CloudEvents', structured, structured],
    ['binary CloudEvents', binary, binary],
    ['CloudEvents in different modes', structured, binary],
    ['events of any kind', either, either],
  ])('are one only if nothing differs in what was sent: %s', (_what, a, b) => {
    fc.assert(
      fc.property(a, b, (first, second) => {
        expect([areOne(first.prepared, second.prepared), first.meaning, second.meaning]).toEqual([
          first.meaning === second.meaning,
          first.meaning,
          second.meaning,
        ]);
      }),
      { numRuns: 3_000 },
    );
  });
});
