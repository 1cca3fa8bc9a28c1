import * as fc from 'fast-check';
import { redactResponse } from '../../../src/access/redaction/redact-response';
import { redacted } from '../../../src/access/redaction/redacted';

const SECRET = 'the secret value';

/** JSON with a name for every member, and a pointer to one place in it that holds the secret. */
const withSecret = fc
  .tuple(
    fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('__proto__', 'constructor', 'a/b', 'c~d', '0')), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.jsonValue(),
    fc.boolean(),
  )
  .map(([names, other, inArray]) => {
    const pointer = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    const nested = names.reduceRight(
      (inner, name) => `{${JSON.stringify(`other ${name}`)}:${JSON.stringify(other)},${JSON.stringify(name)}:${inner}}`,
      JSON.stringify(SECRET),
    );
    return inArray ? { text: `[1,${nested}]`, pointer: `/1${pointer}` } : { text: nested, pointer };
  });

describe('a redacted payload', () => {
  it('does not have what is at the pointers, and has everything else', () => {
    fc.assert(
      fc.property(withSecret, ({ text, pointer }) => {
        const result = redacted(text, [pointer]);
        expect(result).not.toContain(SECRET);
        expect(JSON.parse(result)).toEqual(JSON.parse(text.replace(SECRET, '[redacted]')));
        expect(redacted(result, [pointer])).toBe(result);
      }),
    );
  });

  it('is the payload where a pointer leads nowhere', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(redacted(text, ['/a name/that/nothing has', '/99/x']))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1.10,"big":12345678901234567890,"b":"x"}', ['/b'], '{"a":1.10,"big":12345678901234567890,"b":"[redacted]"}'],
    ['{"a":"first","a":"second"}', ['/a'], '{"a":"[redacted]"}'],
    ['[1,2,3]', ['/length', '/01', '/-'], '[1,2,3]'],
    ['{"n":1.10}', ['/n/rawJSON'], '{"n":1.10}'],
    ['{"n":1.10}', ['/n'], '{"n":"[redacted]"}'],
    ['{"a":1}', [''], '"[redacted]"'],
    ['null', ['/a'], 'null'],
    ['{ "a" : 1 }', [], '{ "a" : 1 }'],
  ])('%s without %j is %s', (text, pointers, result) => {
    expect(redacted(text, pointers)).toBe(result);
  });
});

describe('a redacted response', () => {
  const isHidden = (tenantId: string | undefined): boolean => tenantId === undefined || tenantId === 'acme';

  it('has no text that may quote an event of a tenant that redacts', () => {
    const page = {
      deadLetters: [
        { tenantId: 'acme', errorMessage: SECRET, attempts: 1, deliveries: [{ lastError: SECRET }] },
        { tenantId: 'other', errorMessage: 'it broke', request: { method: 'POST', headers: { a: 'b' } } },
      ],
      rejection: { tenantId: 'acme', rawText: SECRET, rawBase64: null, diff: [SECRET], message: SECRET },
      requests: [{ reason: SECRET, request: { method: 'POST', path: SECRET, query: { a: SECRET }, headers: {} } }],
    };
    const result = redactResponse(page, isHidden);
    expect(JSON.stringify(result)).not.toContain(SECRET);
    expect(result).toMatchObject({
      deadLetters: [
        { tenantId: 'acme', errorMessage: '[redacted]', attempts: 1 },
        { errorMessage: 'it broke', request: { headers: { a: 'b' } } },
      ],
      rejection: { rawText: null, rawBase64: null, diff: null },
      requests: [{ reason: '[redacted]', request: { method: 'POST', path: '', query: {} } }],
    });
  });
});
