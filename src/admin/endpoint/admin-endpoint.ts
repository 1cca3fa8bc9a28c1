import { applyDecorators, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../../http/docs/api-problem';
import { AdminGuard } from '../../access/admin-token.guard';

/** What every admin controller has: the guard, and its refusals in the documentation. */
export function AdminEndpoint(): ClassDecorator {
  return applyDecorators(
    ApiTags('admin'),
    ApiSecurity('admin-token'),
    ApiProblems('invalid-request', 'admin-token-invalid', 'admin-rate-limited', 'storage-unavailable'),
    UseGuards(AdminGuard),
  );
}
