import { preferredType, refusesAll } from '../../../src/http/accept';

const JSON_TYPE = 'application/json';
const LINES = 'application/x-ndjson';
const HTML = 'text/html';

describe('the media type that a client prefers', () => {
  it.each<[string | undefined, string]>([
    [undefined, JSON_TYPE],
    ['', JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['APPLICATION/X-NDJSON', LINES],
    ['application/x-ndjson, */*', LINES],
    ['application/json;q=0.5, application/x-ndjson', LINES],
    ['application/x-ndjson;q=0.5, application/json', JSON_TYPE],
    ['application/x-ndjson;q=0', 'none'],
    ['application/x-ndjson;q=0, */*', JSON_TYPE],
    ['application/json;q=0, */*', LINES],
    ['application/json; q=0.000 , application/*;q=0.1', LINES],
    ['*/*;q=0.1, application/*;q=0', 'none'],
    ['text/html;level=1, application/json;q=0.2', JSON_TYPE],
    ['application/json;charset=utf-8', JSON_TYPE],
    ['application/x-ndjson;x="a,b;q=0"', LINES],
    ['nonsense, application/x-ndjson', LINES],
    ['nonsense', JSON_TYPE],
    ['*/json, application/x-ndjson', LINES],
  ])('is for %j %s', (accept, expected) => {
    const offered = (): string => preferredType(accept, [JSON_TYPE, LINES]);
    if (expected === 'none') expect(offered).toThrow('not-acceptable');
    else expect(offered()).toBe(expected);
  });

  it('is HTML for a browser, and JSON for a client that prefers neither', () => {
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
    expect(preferredType(browser, [JSON_TYPE, HTML])).toBe(HTML);
    expect(preferredType('application/json, text/plain, */*', [JSON_TYPE, HTML])).toBe(JSON_TYPE);
    expect(preferredType('text/html, application/json', [JSON_TYPE, HTML])).toBe(JSON_TYPE);
  });

  it('does not exist when the client accepts none, and the problem names what there is', () => {
    expect(() => preferredType('image/png', [JSON_TYPE, LINES])).toThrow(
      'not-acceptable: The Accept header allows none of application/json, application/x-ndjson.',
    );
    expect(() => preferredType('application/*;q=0, text/*', [JSON_TYPE, LINES])).toThrow('not-acceptable');
  });
});

describe('a client that refuses a media type', () => {
  it.each([
    ['application/json;q=0', true],
    ['*/*;q=0', true],
    ['application/*;q=0.0, */*', true],
    ['text/html', false],
    ['application/json;q=0.1', false],
    ['*/*;q=0, application/json', false],
    ['application/x-ndjson;q=0', false],
    ['', false],
  ])('does so only with quality 0: %j', (accept, refuses) => {
    expect(refusesAll(accept, [JSON_TYPE])?.code).toBe(refuses ? 'not-acceptable' : undefined);
  });
});
