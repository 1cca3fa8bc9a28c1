import { IsArray, IsOptional, IsString } from 'class-validator';
import type { Problem } from '../../../src/event/problems';
import { createValidationPipe, DataIn } from '../../../src/http/validation';

class Base {
  @IsString() tenantId = 'acme';
}
class Filter extends Base {
  @IsString() reasonCode = 'TIMEOUT';
}

describe('an unknown property of a request', () => {
  const messagesFor = async (value: object): Promise<unknown> => {
    const refused = createValidationPipe().transform(value, { type: 'body', metatype: Filter });
    return refused.then(
      () => undefined,
      (problem: Problem) => problem.extras.errors?.map(({ pointer, message }) => [pointer, message]),
    );
  };

  it.each([
    ['reason_code', 'reasonCode'],
    ['reasoncode', 'reasonCode'],
    ['tenant_id', 'tenantId'],
    ['tenatId', 'tenantId'],
  ])('is refused with the property that was probably meant: %s', async (name, meant) => {
    const message = `property ${name} should not exist; did you mean ${meant}?`;
    expect(await messagesFor({ [name]: 'x' })).toEqual([[`/${name}`, message]]);
  });

  it('is refused without a suggestion when no name is close', async () => {
    expect(await messagesFor({ colour: 'x' })).toEqual([['/colour', 'property colour should not exist']]);
  });

  it('is listed together with a bounded number of others', async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, i]));
    expect(await messagesFor(many)).toHaveLength(50);
  });
});

describe('a list with data', () => {
  class Repair {
    @IsOptional() @IsString() note?: string;
    @IsArray() @DataIn('value') patch!: unknown[];
  }
  const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
  const transformed = (text: string): Promise<unknown> =>
    createValidationPipe().transform(JSON.parse(text), { type: 'body', metatype: Repair }) as Promise<unknown>;
  const pointersOf = (text: string): Promise<unknown> =>
    transformed(text).then(
      () => 'accepted',
      (problem: Problem) => problem.extras.errors?.map(({ pointer }) => pointer),
    );

  it.each(NAMES)('is taken exactly, with members named %s at any level, and no object changes', async (name) => {
    const patch = `[{"op":"add","value":{"${name}":{"${name}":{"polluted":1}},"list":[{"${name}":null}]}}]`;
    const made = (await transformed(`{"note":"why","patch":${patch}}`)) as Repair;
    expect(made).toBeInstanceOf(Repair);
    expect(made.note).toBe('why');
    expect(JSON.stringify(made.patch)).toBe(patch);
    expect('polluted' in {}).toBe(false);
  });

  it.each(NAMES.filter((name) => name !== 'prototype'))('refuses %s everywhere else', async (name) => {
    for (const [text, pointer] of [
      [`{"patch":[],"${name}":1}`, `/${name}`],
      [`{"patch":{"${name}":1}}`, `/patch/${name}`],
      [`{"patch":[{"${name}":1}]}`, `/patch/0/${name}`],
      [`{"patch":[{"from":{"${name}":1}}]}`, `/patch/0/from/${name}`],
      [`{"patch":[[{"value":{"${name}":1}}]]}`, `/patch/0/0/value/${name}`],
      [`{"patch":{"value":{"${name}":1}}}`, `/patch/value/${name}`],
    ] as const) {
      expect(await pointersOf(text)).toEqual([pointer]);
    }
  });

  it('is refused if it is no list', async () => {
    for (const text of ['{}', '{"patch":7}', '{"patch":{"value":1}}'])
      expect(await pointersOf(text)).toEqual(['/patch']);
  });
});
