import type { OutgoingMessage } from '../../../src/broker/broker';
import { fromAmqpHeaders, toAmqpHeaders } from '../../../src/broker/rabbit-headers';
import { message } from '../../support/broker/listener';

const packed = (headers: OutgoingMessage['headers']) => toAmqpHeaders(message({ headers }), undefined);

describe('the headers of a message', () => {
  it('are read as they were sent', () => {
    const headers = { 'tenant-id': 'acme ü "', 'dispatch-no': 3, big: 1_760_000_000_000, negative: -7, share: 0.25 };
    expect(fromAmqpHeaders(packed(headers))).toEqual(headers);
  });

  it('are read without the headers that the broker adds', () => {
    expect(fromAmqpHeaders({ ...packed({ generation: 1 }), 'x-delivery-count': 2 })).toEqual({ generation: 1 });
  });

  it.each([[{}], [{ 'tenant-id': 'acme' }], [{ streamforge: 1 }], [{ streamforge: '{' }], [{ streamforge: '[1]' }]])(
    'are kept as they are when another sender wrote them: %j',
    (headers) => expect(fromAmqpHeaders(headers)).toEqual(headers),
  );

  it('are not parsed when their text is longer than StreamForge writes it', () => {
    const headers = packed({ 'tenant-id': 'a'.repeat(17_000) });
    expect(fromAmqpHeaders(headers)).toEqual(headers);
  });

  it('may be missing', () => {
    expect(fromAmqpHeaders(undefined)).toEqual({});
  });
});
