import fc from 'fast-check';
import { bundleBody, entriesOfBundle, MOST_IN_BUNDLE } from '../../../src/broker/bundle-form';
import {
  doubtAbout,
  doubtAboutBundle,
  signedHeaders,
  signedHeadersOfBundle,
} from '../../../src/broker/message-signature';
import { BUNDLES } from '../../../src/broker/rabbit-names';
import { message, messages } from '../../support/broker/listener';
import { macKeys } from '../../support/mac-keys';

const ENTRIES = [
  message({
    headers: { 'tenant-id': 'käse\n"1"', 'dispatch-no': 2, generation: -1 },
    body: Buffer.from('{"a":"\\n😀"}'),
  }),
  message({ headers: {}, body: Buffer.alloc(0) }),
  message({ headers: { generation: 3 }, body: Buffer.from('\n\n[0]') }),
];
const BODY = bundleBody(ENTRIES);

describe('the body of a bundle', () => {
  it('has every entry with its id, headers and bytes, in order', () => {
    const read = entriesOfBundle(BODY, 3);
    expect(read?.map(({ id, headers }) => ({ id, headers }))).toEqual(
      ENTRIES.map(({ id, headers }) => ({ id, headers })),
    );
    expect(read?.map(({ body }) => String(body))).toEqual(ENTRIES.map(({ body }) => String(body)));
  });

  it('holds the bytes of any bodies', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: MOST_IN_BUNDLE });
    fc.assert(
      fc.property(bodies, (all) => {
        const sent = all.map((bytes) => message({ body: Buffer.from(bytes) }));
        const read = entriesOfBundle(bundleBody(sent), sent.length);
        return read?.every(({ id, body }, i) => id === sent[i]?.id && body.equals(sent[i].body)) ?? false;
      }),
    );
  });

  it.each<[string, Buffer, unknown]>([
    ['another number of entries', BODY, 2],
    ['no number of entries', Buffer.from('no JSON'), undefined],
    ['more bytes than its entries have', Buffer.concat([BODY, Buffer.from('x')]), 3],
    ['fewer bytes than its entries have', BODY.subarray(0, -1), 3],
    ['no heads', Buffer.from('{"id":"x"}'), 1],
    ['heads that are no list', Buffer.from('{}\n'), 1],
    ['no entries', Buffer.from('[]\n'), 0],
    ['a length below zero', Buffer.from('[["a",-1,{}],["b",1,{}]]\n'), 2],
    ['a length that is no number', Buffer.from('[["a","1",{}]]\nx'), 1],
    ['an entry without headers', Buffer.from('[["a",0]]\n'), 1],
    ['headers that are no object', Buffer.from('[["a",0,[]]]\n'), 1],
    ['an id that is no text', Buffer.from('[[1,0,{}]]\n'), 1],
    ['more entries than a bundle may have', bundleBody(messages(MOST_IN_BUNDLE + 1)), MOST_IN_BUNDLE + 1],
    ['more bytes than a bundle may have', bundleBody([message({ body: Buffer.alloc(1024 * 1024) })]), 1],
  ])('is not read with %s', (_what, body, count) => {
    expect(entriesOfBundle(body, count)).toBeUndefined();
  });
});

describe('a signed bundle', () => {
  const mac = macKeys('ours').current();
  const bundle = { queue: BUNDLES, id: 'first', body: BODY };
  const headers = signedHeadersOfBundle(bundle, 3, mac);

  it('is not doubted as it was sent', () => {
    expect(doubtAboutBundle(headers, bundle, mac)).toBeUndefined();
    expect(JSON.parse(headers)).toMatchObject({ form: 2, entries: 3 });
  });

  it('is forged when one of its entries is another one, or they are swapped', () => {
    const [first, second, third] = ENTRIES as [(typeof ENTRIES)[0], (typeof ENTRIES)[0], (typeof ENTRIES)[0]];
    const others = [
      [first, second],
      [second, first, third],
      [{ ...first, headers: { ...first.headers, 'dispatch-no': 3 } }, second, third],
      [{ ...first, id: message().id }, second, third],
      [first, second, { ...third, body: Buffer.from('\n\n[1]') }],
    ].map(bundleBody);
    for (const body of others) expect(doubtAboutBundle(headers, { ...bundle, body }, mac)).toBe('forged');
  });

  it('is forged with another number of entries, id or queue, and with the key of somebody else', () => {
    const text = headers.replace('"entries":3', '"entries":2');
    expect(doubtAboutBundle(text, bundle, mac)).toBe('forged');
    expect(doubtAboutBundle(headers, { ...bundle, id: 'second' }, mac)).toBe('forged');
    expect(doubtAboutBundle(headers, { ...bundle, queue: 'events.main' }, mac)).toBe('forged');
    expect(doubtAboutBundle(headers, bundle, macKeys('theirs').current())).toBe('forged');
  });

  it('passes for no message with one entry, nor the other way round', () => {
    const single = message();
    const asBundle = { ...single, queue: BUNDLES };
    expect(doubtAbout(headers, bundle, mac)).toBe('forged');
    expect(doubtAboutBundle(signedHeaders(single, mac), single, mac)).toBe('forged');
    expect(doubtAboutBundle(signedHeaders(single, mac), asBundle, mac)).toBe('forged');
  });

  it('is unsigned without a key', () => {
    expect(doubtAboutBundle(signedHeadersOfBundle(bundle, 3, undefined), bundle, mac)).toBe('unsigned');
    expect(doubtAboutBundle(headers, bundle, undefined)).toBe('unsigned');
  });
});
