import { handlesType, withUniqueNames, type TransactionalHandler } from '../../../src/worker/handler';

const named = (name: string): TransactionalHandler => ({
  kind: 'transactional',
  name,
  eventTypes: ['*'],
  handle: () => Promise.resolve(),
});

describe('a handler', () => {
  it.each([
    [['order.paid'], 'order.paid', true],
    [['order.paid'], 'order.paid.late', false],
    [['order.paid'], 'Order.paid', false],
    [['order.*'], 'order.paid', true],
    [['order.*'], 'order.paid.late', true],
    [['order.*'], 'order', false],
    [['order.*'], 'orders.paid', false],
    [['order.*'], 'orderXpaid', false],
    [['order*'], 'orders.paid', true],
    [['*'], 'anything', true],
    [['a', 'b.*'], 'b.c', true],
    [['*.paid'], 'order.paid', false],
    [[], 'order.paid', false],
  ])('of %j takes %s: %s', (eventTypes, type, takes) => {
    expect(handlesType({ eventTypes }, type)).toBe(takes);
  });

  it('must have a unique name', () => {
    const handlers = [named('a'), named('b')];
    expect(withUniqueNames(handlers)).toEqual(handlers);
    expect(() => withUniqueNames([named('a'), named('b'), named('a'), named('b'), named('c')])).toThrow(
      /more than once: a, b$/,
    );
  });
});
