import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { addressKey, plainAddress } from '../../access/identity/networks';
import { RefusedCredentials } from '../../access/refusals/refused-credentials';
import { Problem } from '../../event/problems';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminActions } from '../endpoint/admin-actions';
import { NoQuery } from '../endpoint/no-input';
import { IssuerSignIn } from './issuer-sign-in';
import { IssuerSignInRequest } from './sign-in.requests';
import { IssuerSignInResponse, SignInOffersResponse } from './sign-in.responses';

/** Takes no credentials: the code of the issuer is one. With OPS_PORT, it is on that port only, as the console is. */
@ApiTags('access')
@Controller('console/sign-in/oidc')
export class IssuerSignInController {
  constructor(
    private readonly issuer: IssuerSignIn,
    private readonly actions: AdminActions,
    private readonly refused: RefusedCredentials,
  ) {}

  @Get()
  @NoQuery()
  @ApiOperation({
    operationId: 'getSignInOffers',
    summary: 'Say where the console signs operators in with the OIDC issuer.',
    description:
      'Anybody may ask: it is what the sign-in page shows. The configuration of the issuer is kept for ten minutes.',
  })
  @ApiOkResponse({ type: SignInOffersResponse })
  @ApiProblems('issuer-unavailable', 'invalid-request')
  async offers(): Promise<SignInOffersResponse> {
    return { oidc: await this.issuer.offer() };
  }

  @Post()
  @HttpCode(200)
  @NoQuery()
  @ApiOperation({
    operationId: 'startIssuerSession',
    summary: 'Exchange the code of the OIDC issuer for one of its tokens.',
    description:
      'The token admits an operator with the role that OIDC_ROLES gives. The access token is taken if it admits an operator, otherwise the ID token. The audit trail has the sign-in.',
  })
  @ApiBody({ type: IssuerSignInRequest })
  @ApiOkResponse({ type: IssuerSignInResponse })
  @ApiProblems(
    ...([
      'admin-token-invalid',
      'admin-rate-limited',
      'issuer-unavailable',
      'overloaded',
      'storage-unavailable',
    ] as const),
    ...BODY_PROBLEMS,
  )
  async signIn(@Body() request: IssuerSignInRequest, @Req() { ip, id }: FastifyRequest): Promise<IssuerSignInResponse> {
    this.refused.requireFewFrom(ip);
    const given = await this.issuer.exchange(request, addressKey(ip));
    if (typeof given === 'string') throw this.refusal(ip, given);
    const acting = { ...given.operator, address: plainAddress(ip), correlationId: id };
    await this.actions.run({
      ...{ action: 'sign-in', filter: {}, acting },
      work: () => Promise.resolve({ counts: { matched: 1 }, result: undefined }),
    });
    return { token: given.token };
  }

  private refusal(address: string, why: string): Problem {
    const problem = this.refused.problem({ kind: 'operator', reason: 'oidc', address, id: undefined });
    return problem.code === 'admin-token-invalid' ? new Problem(problem.code, why, problem.extras) : problem;
  }
}
