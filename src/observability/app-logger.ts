import { Injectable } from '@nestjs/common';
import { Logger, PinoLogger } from 'nestjs-pino';

/** What Nest tells about its own start; forty lines that say nothing about events. */
const START_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** nestjs-pino's logger with Nest's own start-up lines moved to debug. */
@Injectable()
export class AppLogger extends Logger {
  /** Nest reports a port that is taken and throws it as well; main says it in one sentence. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) === 'NestApplication') super.debug(message, ...rest);
    else super.error(message, ...rest);
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (START_CONTEXTS.has(String(rest.at(-1)))) super.debug(message, ...rest);
    else super.log(message, ...rest);
  }
}

/**
 * Whether lines of one per event are written. At 10 000 events a second the objects of such lines would cost more than
 * all other logging, so who makes them asks first.
 */
export function writesDebug(): boolean {
  const root = PinoLogger.root as { isLevelEnabled(level: string): boolean } | undefined; // unset outside of Nest
  return root?.isLevelEnabled('debug') ?? false;
}
