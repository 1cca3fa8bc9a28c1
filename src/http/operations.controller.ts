import { Controller, Get, Header, Headers, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { Metrics } from '../observability/metrics';
import { isSameSecret } from './admin-token';
import { ReadinessChecks, type Readiness } from './readiness';

/** What every role serves on its own port. */
@ApiTags('operations')
@Controller()
export class OperationsController {
  constructor(@Inject(ReadinessChecks) private readonly readiness: ReadinessChecks) {}

  @Get('health')
  @ApiOperation({ summary: 'Is this process alive?' })
  health(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Can this role do its job? 503 when it cannot.' })
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
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Prometheus metrics; needs `Authorization: Bearer METRICS_TOKEN` where that is set.' })
  async index(@Res({ passthrough: true }) reply: FastifyReply, @Headers('authorization') sent = ''): Promise<string> {
    const token = this.settings.METRICS_TOKEN;
    if (token && !isSameSecret(sent, `Bearer ${token}`)) {
      throw new Problem('metrics-token-invalid', 'Send Authorization: Bearer with the metrics token.');
    }
    reply.type(this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
