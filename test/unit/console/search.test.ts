import { parseAddress, writeAddress } from '../../../console/src/address';
import { readDeadLetterSearch } from '../../../console/src/pages/dead-letters/dead-letter-search';
import { readRejectionSearch } from '../../../console/src/pages/rejections/rejection-search';
import { queryOf, readEventSearch, readQuery } from '../../../console/src/pages/events/event-search';

describe('the search box', () => {
  it('opens the event when it holds an id', () => {
    expect(readQuery(' 01a20bbe-19c6-756a-9bb1-3e2e8e86f56a ')).toEqual({
      kind: 'event',
      id: '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a',
    });
    expect(readQuery('sale-1001')).toEqual({ kind: 'event', id: 'sale-1001' });
    expect(readQuery('"an id with spaces"')).toEqual({ kind: 'event', id: 'an id with spaces' });
  });

  it('takes an id with colons as an id, unless its beginning is a word of the search', () => {
    expect(readQuery('urn:order:7')).toEqual({ kind: 'event', id: 'urn:order:7' });
  });

  it('filters the list', () => {
    expect(readQuery('status:dlq type:order.* subject:"order 7" tenant:acme reason:http_5xx cor:c-1')).toEqual({
      kind: 'list',
      search: {
        ...{ status: 'DLQ', type: 'order.*', subject: 'order 7', tenantId: 'acme' },
        ...{ reasonCode: 'HTTP_5XX', correlationId: 'c-1' },
      },
    });
    expect(readQuery('  ')).toEqual({ kind: 'list', search: {} });
  });

  it('asks what a word beside a filter should mean', () => {
    expect(readQuery('status:DLQ order-7')).toEqual({ kind: 'unclear', word: 'order-7' });
    expect(readQuery('order 7')).toEqual({ kind: 'unclear', word: 'order' });
  });

  it('shows the filters of the list as it reads them', () => {
    const search = { status: 'DLQ', tenantId: 'acme', subject: 'order 7', destinationId: 'd', statusClass: '5xx' };
    expect(readQuery(queryOf(search))).toEqual({ kind: 'list', search });
  });
});

describe('an address', () => {
  it('keeps values as the texts that they are', () => {
    const search = { tenantId: '0012', subject: 'true', type: 'a&b=c d' };
    expect(writeAddress(search)).toBe('?tenantId=0012&subject=true&type=a%26b%3Dc+d');
    expect(parseAddress(writeAddress(search))).toEqual(search);
    expect(writeAddress({ tenantId: undefined, type: '' })).toBe('');
  });

  it('has only filters that the page knows', () => {
    expect(readEventSearch({ status: 'DLQ', color: 'red', type: ' ', limit: '5' })).toEqual({ status: 'DLQ' });
    expect(readRejectionSearch({ code: ' malformed-body ', ids: 'x' })).toEqual({ code: 'malformed-body' });
    expect(readDeadLetterSearch({ reasonCode: 'TIMEOUT', status: 'DLQ' })).toEqual({ reasonCode: 'TIMEOUT' });
  });
});
