import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { Problem, type ProblemCode } from '../event/problems';

class ProblemErrorDoc {
  @ApiProperty({ example: '/subject', description: 'JSON Pointer to what is wrong' })
  pointer!: string;

  @ApiProperty({ example: 'invalid-request' })
  code!: string;

  @ApiProperty({ example: 'subject must be a string' })
  message!: string;
}

/** How every refusal looks in the OpenAPI document (RFC 9457). */
export class ProblemDoc {
  @ApiProperty({ example: 'urn:streamforge:problem:invalid-request' })
  type!: string;

  @ApiProperty({ example: 'The request breaks a rule of this endpoint' })
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty({ example: 'Some parameters break their rule.' })
  detail!: string;

  @ApiProperty({ example: 'invalid-request', description: 'Stable; clients branch on it' })
  code!: string;

  @ApiProperty({ example: false, description: 'True when the same request may succeed later' })
  retryable!: boolean;

  @ApiProperty({ example: '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a' })
  correlationId!: string;

  @ApiPropertyOptional({ type: [ProblemErrorDoc], description: 'Which places are wrong' })
  errors?: ProblemErrorDoc[];
}

/** What may be wrong with any request that has a JSON body, before its content is looked at. */
export const BODY_PROBLEMS = ['request-timeout', 'event-too-large', 'unsupported-media-type'] as const;

/** Documents the refusals of an endpoint by their codes; status and title come from the catalogue. */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = new Problem(code, '');
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return applyDecorators(
    ApiExtraModels(ProblemDoc),
    ...[...byStatus].map(([status, its]) =>
      ApiResponse({
        status,
        description: its.map((code) => `\`${code}\``).join(', '),
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDoc) } } },
      }),
    ),
  );
}
