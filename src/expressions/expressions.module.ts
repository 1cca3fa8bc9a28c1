import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { sharedProcess } from './expression-process';

/** Ends the process that evaluates expressions when the application shuts down. */
@Module({})
export class ExpressionsModule implements OnApplicationShutdown {
  onApplicationShutdown(): Promise<void> {
    return sharedProcess.stop();
  }
}
