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
}

export class ReadinessResponse {
  @ApiEnum('ReadinessStatus', ['ready', 'degraded', 'not-ready']) status!: 'ready' | 'degraded' | 'not-ready';
  @ApiText('all') role!: string;
  @ApiObject(DependencyChecks, { description: 'The dependencies that this role uses' }) checks!: DependencyChecks;
}
