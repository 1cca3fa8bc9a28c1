import { isUuid } from '../../../src/event/uuid-v7';
import { correlationIdOf, readTraceparent } from '../../../src/http/correlation';

describe('the correlation id of a request', () => {
  const of = (sent: unknown): string => correlationIdOf({ headers: { 'x-correlation-id': sent as string } });

  it.each(['c', '!~"{}', 'x'.repeat(128)])('is what the caller sent: %s', (sent) => {
    expect(of(sent)).toBe(sent);
  });

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a\tb', 'é', '\u007f', 'a\r\nSet-Cookie: x', ['a', 'b']])(
    'is generated when the caller sent %j',
    (sent) => {
      expect(isUuid(of(sent))).toBe(true);
    },
  );
});

describe('the trace context of a request', () => {
  const of = (traceparent?: string): string | undefined => readTraceparent({ headers: { traceparent } });
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  const SPAN = 'b7ad6b7169203331';

  it('is taken from the traceparent header', () => {
    expect(of(`00-${TRACE}-${SPAN}-01`)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  it.each([
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['two values', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a missing header', undefined],
  ])('is ignored for %s', (_what, sent) => {
    expect(of(sent)).toBeUndefined();
  });
});
