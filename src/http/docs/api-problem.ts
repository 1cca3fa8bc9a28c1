import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath, type ApiResponseOptions } from '@nestjs/swagger';
import { Problem, PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import { RATE_LIMIT_HEADERS, responseHeaders, type ResponseHeader } from './api-headers';
import { ProblemResponse } from './problem.response';

/** Problems of any request with a JSON body, before its content is checked. */
export const BODY_PROBLEMS = [
  'malformed-body',
  'invalid-request',
  'request-timeout',
  'event-too-large',
  'unsupported-media-type',
  'unsupported-content-encoding',
] as const;

const EXAMPLE_CORRELATION_ID = 'c-1';
const PROBLEM_TYPE = 'application/problem+json';

/**
 * Documents the problems of an endpoint by their codes. A status with one code refers to the response of that problem;
 * a status with several codes lists an example of each.
 */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  const byStatus = Map.groupBy(codes, (code) => new Problem(code, '').status);
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...[...byStatus].map(([status, its]) => ApiResponse(refusal(status, its))),
  );
}

function refusal(status: number, codes: readonly ProblemCode[]): ApiResponseOptions {
  const [only, ...others] = codes;
  if (only && others.length === 0) {
    const reference: ApiResponseOptions & { $ref: string } = { status, $ref: `#/components/responses/${nameOf(only)}` };
    return reference;
  }
  return { status, ...responseOf(codes) };
}

/** Returns `components/responses` and `components/examples` of the document, from the problem catalogue. */
export function problemComponents() {
  const codes = PROBLEM_CODES.filter((code) => code !== 'stream-rejected'); // event-docs.ts documents its body
  return {
    responses: Object.fromEntries(codes.map((code) => [nameOf(code), responseOf([code])])),
    examples: Object.fromEntries(codes.map((code) => [nameOf(code), exampleOf(code)])),
  };
}

function responseOf(codes: readonly ProblemCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${titleOf(code)}`).join('. '),
    headers: responseHeaders('X-Correlation-Id', ...new Set(codes.flatMap(headersOf))),
    content: {
      [PROBLEM_TYPE]: {
        schema: { $ref: getSchemaPath(ProblemResponse) },
        examples: problemExamples(...codes),
      },
    },
  };
}

/** Returns references to the examples of these problems. */
export function problemExamples(...codes: readonly ProblemCode[]): Record<string, { $ref: string }> {
  return Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${nameOf(code)}` }]));
}

function exampleOf(code: ProblemCode) {
  const title = titleOf(code);
  const errors = POINTED.includes(code)
    ? { errors: [{ pointer: '/subject', code, message: 'subject must be a string' }] }
    : {};
  return { summary: title, value: new Problem(code, `${title}.`, errors).toBody(EXAMPLE_CORRELATION_ID) };
}

/** The problems that list the invalid places. */
const POINTED: ProblemCode[] = ['invalid-event', 'invalid-request', 'unsupported-character'];

function headersOf(code: ProblemCode): ResponseHeader[] {
  const { status } = new Problem(code, '');
  if (status === 405) return ['Allow'];
  if (code === 'unsupported-media-type') return ['Accept-Post'];
  if (code === 'unsupported-content-encoding') return ['Accept-Encoding'];
  if (status === 429) return ['Retry-After', ...RATE_LIMIT_HEADERS];
  return status === 503 || code === 'idempotency-in-flight' ? ['Retry-After'] : [];
}

const titleOf = (code: ProblemCode): string => String(new Problem(code, '').toBody('').title);

/** `event-not-found` → `EventNotFound`. */
function nameOf(code: ProblemCode): string {
  return code.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
