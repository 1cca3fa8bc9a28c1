import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { ExpressionProcess } from '../../expressions/expression-process';
import { LIMITS } from '../../expressions/limits';

/** CPU time of one transform. It delays the transforms of other tenants. */
const TRANSFORM_CPU_MS = 50;
/** How long a transform waits for others, because its delivery is leased meanwhile. It is then tried again later. */
const WAIT_MS = 5_000;

/**
 * The process that evaluates the transforms of destinations. Sources have another one, whose expressions may take
 * longer: a slow transform does not delay what is accepted.
 */
@Injectable()
export class TransformProcess extends ExpressionProcess implements OnApplicationShutdown {
  readonly mostBytes: number;

  constructor(@Inject(SETTINGS_TOKEN) { MAX_EVENT_BYTES: resultBytes }: Pick<Settings, 'MAX_EVENT_BYTES'>) {
    const limits = { cpuMilliseconds: TRANSFORM_CPU_MS, waitMilliseconds: WAIT_MS };
    super({ ...LIMITS, ...limits, resultBytes });
    this.mostBytes = resultBytes;
  }

  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }
}
