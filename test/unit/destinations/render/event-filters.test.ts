import { EventFilters } from '../../../../src/destinations/render/event-filters';
import { render } from '../../../support/receivers/rendered';

const ID = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const EVENT = Buffer.from(
  '{"id":"1","type":"order.paid","subject":"o-1","hash":"12345678901234567890123e999",' +
    '"payload":{"amount":150,"long":12345678901234567890,"lines":[{"sku":"a"}]}}',
);

describe('the filter of a destination', () => {
  const passes = (filter: object | null): boolean => new EventFilters().matches({ id: ID, revision: 1, filter }, EVENT);

  it.each([
    [null, true],
    [{}, true],
    [{ payload: { amount: { $gt: 100 } } }, true],
    [{ payload: { amount: { $gt: 150 } } }, false],
    [{ type: { $startsWith: 'order.' }, payload: { lines: { sku: 'a' } } }, true],
    [{ payload: { missing: { $exist: true } } }, false],
    [{ $not: { subject: 'o-1' } }, false],
  ])('%j lets the event pass: %s', (filter, expected) => expect(passes(filter)).toBe(expected));

  it('compares numbers of the payload exactly', () => {
    expect(passes({ payload: { long: { $gt: 12345678901234567000 } } })).toBe(true);
    expect(passes({ payload: { long: { $eq: Number('12345678901234567890') } } })).toBe(false);
  });

  it('is compiled again for a new revision only', () => {
    const filters = new EventFilters();
    const matches = (revision: number, filter: object): boolean => filters.matches({ id: ID, revision, filter }, EVENT);
    expect(matches(1, { subject: 'o-1' })).toBe(true);
    expect(matches(1, { subject: 'o-2' })).toBe(true);
    expect(matches(2, { subject: 'o-2' })).toBe(false);
    filters.keepOnly([]);
    expect(matches(2, { subject: 'o-1' })).toBe(true);
  });

  it('that cannot be compiled lets nothing get lost: the delivery fails with the reason', async () => {
    const filter = { subject: { $unknown: 1 } };
    expect(passes(filter)).toBe(true);
    expect(await render(EVENT.toString(), { filter })).toMatchObject({
      kind: 'failed',
      reason: 'TRANSFORM_FAILED',
      message: expect.stringMatching(/^the filter cannot be used: \/subject\/\$unknown is not an operator/) as string,
    });
  });
});
