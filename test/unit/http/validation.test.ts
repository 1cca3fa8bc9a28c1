import { IsString } from 'class-validator';
import type { Problem } from '../../../src/event/problems';
import { createValidationPipe } from '../../../src/http/validation';

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
