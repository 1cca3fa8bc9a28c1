import { ApiEnum, ApiFlag, ApiObject, ApiText } from '../http/docs/api-fields';

export class HealthResponse {
  @ApiEnum('HealthStatus', ['ok']) status!: string;
}

class DependencyCheck {
  @ApiEnum('DependencyStatus', ['up', 'down']) status!: 'up' | 'down';
  @ApiFlag(true, { required: false, description: 'It runs inside the process or is started by it' }) embedded?: boolean;
  @ApiText('does not answer', { required: false }) message?: string;
}

class DependencyChecks {
  @ApiObject(DependencyCheck, { required: false }) postgres?: DependencyCheck;
  @ApiObject(DependencyCheck, { required: false }) redis?: DependencyCheck;
  @ApiObject(DependencyCheck, { required: false }) rabbitmq?: DependencyCheck;
  @ApiObject(DependencyCheck, {
    required: false,
    description: 'Shown as down while the worker settles nothing of what it holds',
  })
  worker?: DependencyCheck;
  @ApiObject(DependencyCheck, {
    required: false,
    description: 'In publishers: shown as down, which is `degraded`, while a chore is overdue',
  })
  upkeep?: DependencyCheck;
  @ApiObject(DependencyCheck, {
    required: false,
    description: "Shown as down while the clock of the process differs from PostgreSQL's by more than a second",
  })
  clock?: DependencyCheck;
  @ApiObject(DependencyCheck, {
    required: false,
    description: 'Shown as down for a minute after the proxy of destinations (DESTINATIONS_PROXY_URL) has failed',
  })
  proxy?: DependencyCheck;
}

export class ReadinessResponse {
  @ApiEnum('ReadinessStatus', ['ready', 'degraded', 'not-ready']) status!: 'ready' | 'degraded' | 'not-ready';
  @ApiText('all') role!: string;
  @ApiObject(DependencyChecks, { description: 'The dependencies that this role uses' }) checks!: DependencyChecks;
}

class RootLinks {
  @ApiText('/console', { required: false, description: 'The console for operators, in the role api' }) console?: string;
  @ApiText('/docs', { required: false, description: 'Documentation of the API, in the role api' }) docs?: string;
  @ApiText('/docs-json', { required: false, description: 'The OpenAPI document, in the role api' }) openapi?: string;
  @ApiText('/health') health!: string;
  @ApiText('/ready') ready!: string;
  @ApiText('/metrics') metrics!: string;
}

export class RootResponse {
  @ApiText('streamforge') name!: string;
  @ApiText('0.1.0') version!: string;
  @ApiObject(RootLinks, { description: 'Paths of the entry points' }) links!: RootLinks;
}
