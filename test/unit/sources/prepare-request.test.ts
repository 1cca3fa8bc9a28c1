import { prepareRequest, type RecordOfRequest } from '../../../src/sources/intake/prepare-request';
import type { SealedSource } from '../../../src/sources/directory/source';
import { sourceWith } from '../../support/sources/live';
import { received, type Sent } from '../../support/sources/received';

async function made(row: Partial<SealedSource>, sent: Sent): Promise<RecordOfRequest['made']> {
  const context = { ...sourceWith(row), verdict: { verified: true, keyHint: undefined } as const };
  const { records } = await prepareRequest(received(sent), context);
  return (records[0] as RecordOfRequest).made;
}

describe('the filter of a source', () => {
  const exact = { payload: { n: { $eq: 1 } } };
  const binary = (type: string): Sent => ({
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': 's',
      'ce-type': type,
    },
    body: '{"n":1}',
  });
  const structured = (type: string): Sent => ({
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({ specversion: '1.0', id: '1', source: 's', type, data: { n: 1 } }),
  });
  const cases = [
    ['binary', binary],
    ['structured', structured],
  ] as const;

  it.each(cases)('decides about a CloudEvent in %s mode', async (_mode, sent) => {
    const source = { provider: 'cloudevents', accept: { type: 'wanted', ...exact } };
    expect(await made(source, sent('wanted'))).toHaveProperty('prepared');
    expect(await made(source, sent('unwanted'))).toHaveProperty('filteredOut');
    expect(await made({ ...source, accept: { payload: { n: 2 } } }, sent('wanted'))).toHaveProperty('filteredOut');
  });
});

describe('the body of a request', () => {
  const mapping = { eventType: '/type', subject: '/subject' };
  const bodyKept = async (contentType: string, body: Buffer): Promise<Buffer | undefined> => {
    const event = await made({ mapping }, { headers: { 'content-type': contentType }, body });
    if (!('prepared' in event)) throw new Error('the request is not an event');
    return event.prepared.received?.body;
  };
  const text = '{"type":"a","subject":"café"}';

  it('is kept beside its payload unless both have the same bytes', async () => {
    const latin = Buffer.from(text, 'latin1');
    expect(await bodyKept('text/plain; charset=iso-8859-1', latin)).toEqual(latin);
    const utf16 = Buffer.from(text, 'utf16le');
    expect(await bodyKept('text/plain; charset=utf-16le', utf16)).toEqual(utf16);
    expect(await bodyKept('application/json', Buffer.from(text))).toBeUndefined();
    expect(await bodyKept('application/json', Buffer.from('{"type":"a","subject":"b"}'))).toBeUndefined();
  });
});
