import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AdminToken } from '../../access/admin-token';
import { plainAddress } from '../../access/identity/networks';
import { ADMIN } from '../../access/operator-access';
import { RefusedCredentials } from '../../access/refusals/refused-credentials';
import { Problem } from '../../event/problems';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminActions } from '../endpoint/admin-actions';
import { NoQuery } from '../endpoint/no-input';
import { SignInCode } from './sign-in-code';
import { SignInRequest } from './sign-in.requests';
import { SignInResponse } from './sign-in.responses';

/** Takes no credentials: the code is one. With OPS_PORT, it is on that port only, as the console is. */
@ApiTags('access')
@Controller('console/sign-in')
export class SignInController {
  constructor(
    private readonly code: SignInCode,
    private readonly admin: AdminToken,
    private readonly actions: AdminActions,
    private readonly refused: RefusedCredentials,
  ) {}

  @Post()
  @HttpCode(200)
  @NoQuery()
  @ApiOperation({
    operationId: 'startConsoleSession',
    summary: 'Exchange the one-time code of the link that `npm start` prints for the admin token.',
    description:
      'There is a code only with the embedded database, on a loopback address and without ADMIN_TOKEN. It works once, within 15 minutes after the start, and five wrong ones end it.',
  })
  @ApiBody({ type: SignInRequest })
  @ApiOkResponse({ type: SignInResponse })
  @ApiProblems('admin-token-invalid', 'admin-rate-limited', 'storage-unavailable', ...BODY_PROBLEMS)
  async signIn(@Body() { code }: SignInRequest, @Req() { ip, id }: FastifyRequest): Promise<SignInResponse> {
    const token = await this.admin.value(); // before the code is used up: PostgreSQL may fail
    if (!this.code.take(code)) throw this.refusal(ip);
    const acting = { ...ADMIN, address: plainAddress(ip), correlationId: id };
    await this.actions.run({
      ...{ action: 'sign-in', filter: {}, acting },
      work: () => Promise.resolve({ counts: { matched: 1 }, result: undefined }),
    });
    return { token };
  }

  private refusal(address: string): Problem {
    const problem = this.refused.problem({ kind: 'operator', reason: 'wrong', address, id: undefined });
    if (problem.code !== 'admin-token-invalid') return problem;
    return new Problem(
      problem.code,
      'The code of this link is used up, too old or wrong. Restart StreamForge for a new link, or enter a token.',
      problem.extras,
    );
  }
}
