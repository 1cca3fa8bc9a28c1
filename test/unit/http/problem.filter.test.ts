import { BadRequestException, ForbiddenException, HttpException, ServiceUnavailableException } from '@nestjs/common';
import { Problem } from '../../../src/event/problems';
import { toProblem } from '../../../src/http/problem.filter';

const fastifyError = (code: string, statusCode: number): Error =>
  Object.assign(new Error(`${code} at /srv/app/secret.js`), { code, statusCode });

describe('toProblem', () => {
  it('returns a Problem unchanged', () => {
    const problem = new Problem('event-not-found', 'x');
    expect(toProblem(problem)).toBe(problem);
  });

  it.each([
    ['FST_ERR_CTP_BODY_TOO_LARGE', 413, 'event-too-large'],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 415, 'unsupported-media-type'],
    ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400, 'malformed-body'],
    ['FST_ERR_CTP_EMPTY_JSON_BODY', 400, 'malformed-body'],
    ['FST_ERR_BAD_URL', 400, 'route-not-found'],
  ])('turns %s of Fastify (%i) into %s, without its message', (code, status, problem) => {
    const made = toProblem(fastifyError(code, status));
    expect(made).toMatchObject({ code: problem });
    expect(made?.detail).not.toMatch(/FST_ERR|secret/);
  });

  it.each([
    [new BadRequestException('x'), 'invalid-request'],
    [new HttpException('x', 406), 'not-acceptable'],
    [new ServiceUnavailableException('x'), 'overloaded'],
    [fastifyError('FST_ERR_OTHER', 400), 'invalid-request'],
    [new ForbiddenException('/srv/app/secret.js'), 'route-not-found'],
    [new HttpException('x', 418), 'invalid-request'],
    [fastifyError('ERR_OF_A_PLUGIN', 499), 'invalid-request'],
  ])('turns %s into %s by its status', (error, code) => {
    expect(toProblem(error)).toMatchObject({ code });
  });

  it.each([
    [new Error('connect ECONNREFUSED db.internal:5432')],
    [new TypeError('x is undefined')],
    [Object.assign(new Error('x'), { statusCode: '400' })],
    [new HttpException('x', 500)],
    ['a thrown text'],
    [undefined],
    [null],
  ])('returns undefined for the internal error %s', (error) => {
    expect(toProblem(error)).toBeUndefined();
  });
});
