import * as fc from 'fast-check';
import { mentionsSubject } from '../../../src/admin/erasures/selection/mentions-subject';

const inBody = (text: string | Buffer): { body: Buffer; requestJson: null } => ({
  body: Buffer.from(text),
  requestJson: null,
});

const escaped = (text: string): string =>
  [...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
const inEntities = (text: string): string => [...text].map((c) => `&#${c.codePointAt(0)};`).join('');

const subject = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }).filter((text) => text.isWellFormed());

describe('whether a rejection mentions a subject', () => {
  it('does not depend on how its bytes write it', () => {
    fc.assert(
      fc.property(subject, (text) => {
        for (const body of [
          JSON.stringify({ order: { customer: text } }),
          `{"customer":"${escaped(text)}",`, // broken JSON
          `<e><subject>${inEntities(text)}</subject>`,
          `customer=${encodeURIComponent(text)}&x=%zz`,
        ]) {
          expect([body, mentionsSubject(text, inBody(body))]).toEqual([body, true]);
        }
      }),
    );
  });

  it.each([
    ['customer-17', '{"id":"customer-17","text":"x"}', true],
    ['customer-17', 'the order of customer-17.', true],
    ['customer-17', '{"id":"customer-171"}', false],
    ['17', '{"id":17}', true],
    ['17', '{"id":170,"at":"2017-01-01"}', false],
    ['a&b', '<s>a&amp;b</s>', true],
    ['a b', 'subject=a+b', true],
  ])('%j in %j: %j', (text, body, isMentioned) => {
    expect(mentionsSubject(text, inBody(body))).toBe(isMentioned);
  });

  it('looks at the request as well, and at bytes that are not UTF-8', () => {
    expect(mentionsSubject('é-1', inBody(Buffer.from('subject=é-1', 'latin1')))).toBe(true);
    const requestJson = JSON.stringify({ headers: { 'ce-subject': 'customer%2017' } });
    expect(mentionsSubject('customer 17', { body: null, requestJson })).toBe(true);
  });
});
