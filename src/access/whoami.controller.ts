import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiProblems } from '../http/docs/api-problem';
import { ApiCredentials } from '../http/docs/security-schemes';
import type { Caller } from './identity/caller';
import { CallerGuard } from './tenant.guard';
import { CALLER_PROBLEMS } from './tenant-access';
import { WhoamiResponse } from './whoami.response';

@ApiTags('access')
@Controller('v1/whoami')
export class WhoamiController {
  @Get()
  @UseGuards(CallerGuard)
  @ApiCredentials('both')
  @ApiOperation({ operationId: 'whoami', summary: 'Return who the credentials of this request belong to.' })
  @ApiOkResponse({ type: WhoamiResponse })
  @ApiProblems(...CALLER_PROBLEMS, 'admin-token-invalid', 'admin-rate-limited', 'issuer-unavailable')
  read(@Req() { caller }: FastifyRequest): WhoamiResponse {
    if (!caller) throw new Error('no guard has set the caller of this request');
    return describe(caller);
  }
}

function describe(caller: Caller): WhoamiResponse {
  const nobody = { id: null, name: null, tenantId: null, scopes: null, role: null, tenantIds: null };
  switch (caller.kind) {
    case 'header':
      return { ...nobody, kind: caller.kind, tenantId: caller.tenantId };
    case 'key': {
      const { kind, id, name, tenantId, scopes } = caller;
      return { ...nobody, kind, id, name, tenantId, scopes: [...scopes] };
    }
    case 'operator': {
      const { kind, id, name, role, tenantIds } = caller;
      return { ...nobody, kind, id, name, role, tenantIds: tenantIds && [...tenantIds] };
    }
  }
}
