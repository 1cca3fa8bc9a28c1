import { fromAmqpHeaders, toAmqpHeaders } from '../../../src/broker/rabbit-headers';

describe('headers of messages', () => {
  it('come back as they were sent', () => {
    const headers = { 'tenant-id': 'acme ü "', 'dispatch-no': 3, big: 1_760_000_000_000, negative: -7, share: 0.25 };
    expect(fromAmqpHeaders(toAmqpHeaders(headers))).toEqual(headers);
  });

  it('come back though the broker added its own', () => {
    expect(fromAmqpHeaders({ ...toAmqpHeaders({ generation: 1 }), 'x-delivery-count': 2 })).toEqual({ generation: 1 });
  });

  it.each([[{}], [{ 'tenant-id': 'acme' }], [{ streamforge: 1 }], [{ streamforge: '{' }], [{ streamforge: '[1]' }]])(
    'of a message from elsewhere are left as they are: %j',
    (headers) => expect(fromAmqpHeaders(headers)).toEqual(headers),
  );

  it('may be missing altogether', () => {
    expect(fromAmqpHeaders(undefined)).toEqual({});
  });
});
