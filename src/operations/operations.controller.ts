import { Controller, Get, Header, Headers, Inject, Res } from '@nestjs/common';
import { ApiSecurity, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { metricsAreClosed } from '../config/exposure';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { Metrics } from '../observability/metrics';
import { isSameSecret } from '../access/operator-access';
import { ApiProblems } from '../http/docs/api-problem';
import { HealthResponse, ReadinessResponse } from './operations.responses';
import { ReadinessChecks, type Readiness } from './readiness';

/** Health and readiness, which every role serves on its own port. */
@ApiTags('operations')
@Controller()
export class OperationsController {
  constructor(private readonly readiness: ReadinessChecks) {}

  @Get('health')
  @ApiOperation({ operationId: 'getHealth', summary: 'Is this process alive?' })
  @ApiOkResponse({ type: HealthResponse })
  health(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'getReadiness', summary: 'Is this role ready? Returns 503 when it is not.' })
  @ApiOkResponse({ description: 'Ready, or `degraded`: still working without a dependency', type: ReadinessResponse })
  @ApiResponse({ status: 503, description: 'Not ready, or draining before it stops', type: ReadinessResponse })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.readiness.check();
    reply.status(readiness.status === 'not-ready' ? 503 : 200);
    return readiness;
  }
}

@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'getMetrics',
    summary:
      'Prometheus metrics. Requires `Authorization: Bearer METRICS_TOKEN` when METRICS_TOKEN is set, and in production without OPS_PORT.',
  })
  @ApiSecurity('metrics-token')
  @ApiOkResponse({
    description: 'Metrics in the Prometheus text format',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  @ApiProblems('metrics-token-invalid')
  async index(@Res({ passthrough: true }) reply: FastifyReply, @Headers('authorization') sent = ''): Promise<string> {
    const token = this.settings.METRICS_TOKEN;
    if (metricsAreClosed(this.settings) || (token && !isSameSecret(sent, `Bearer ${token}`))) {
      this.metrics.authFailures.inc({ kind: 'metrics', reason: sent === '' ? 'missing' : 'wrong' });
      const detail = token
        ? 'Send the header `Authorization: Bearer` with the metrics token.'
        : 'In production, set METRICS_TOKEN and send it as `Authorization: Bearer`, or set OPS_PORT and read /metrics there.';
      throw new Problem('metrics-token-invalid', detail);
    }
    reply.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
