import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Metrics } from '../observability/metrics';
import { BufferBudget } from './buffer-budget';

/** Makes the budget of the process injectable. The HTTP server, which Nest does not create, has the same one. */
@Global()
@Module({})
export class BuffersModule {
  static forRoot(buffers: BufferBudget): DynamicModule {
    const measured = (metrics: Metrics): BufferBudget => {
      buffers.onRefused(() => metrics.bodiesRefused.inc({ reason: 'buffers' }));
      metrics.measureBuffers(() => buffers.heldBytes);
      return buffers;
    };
    return {
      module: BuffersModule,
      providers: [{ provide: BufferBudget, inject: [Metrics], useFactory: measured }],
      exports: [BufferBudget],
    };
  }
}
