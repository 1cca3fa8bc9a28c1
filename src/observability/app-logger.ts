import { Injectable } from '@nestjs/common';
import { Logger, PinoLogger } from 'nestjs-pino';

/** Contexts of the lines that Nest logs while it starts: about forty, none of them about events. */
const START_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** The logger of nestjs-pino, with Nest's start-up lines moved to debug. */
@Injectable()
export class AppLogger extends Logger {
  /** When a port is taken, Nest logs the error and throws it. main reports the thrown error in one sentence. */
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
 * Returns true when debug lines are written. Callers that log one line per event ask first: at 10,000 events a second,
 * building the objects for such lines would cost more than all other logging.
 */
export function writesDebug(): boolean {
  const root = PinoLogger.root as { isLevelEnabled(level: string): boolean } | undefined; // undefined outside Nest
  return root?.isLevelEnabled('debug') ?? false;
}
