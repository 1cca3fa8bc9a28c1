import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { Problem, type ErrorDetail } from '../event/problems';

/**
 * Validates the DTOs of the admin endpoints with class-validator. Violations become `invalid-request` with pointers.
 */
export function createValidationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    exceptionFactory: (errors) =>
      new Problem('invalid-request', 'Some parameters are invalid. See `errors`.', {
        errors: errors.flatMap((e) => details(e, '')),
      }),
  });
}

function details(error: ValidationError, parent: string): ErrorDetail[] {
  const pointer = `${parent}/${error.property}`;
  const own = Object.values(error.constraints ?? {}).map((message) => ({
    pointer,
    code: 'invalid-request' as const,
    message,
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => details(child, pointer))];
}
