import { PinoLogger } from 'nestjs-pino';

/**
 * Whether lines of one per event are written. At 10 000 events a second the objects of such lines would cost more than
 * all other logging, so who makes them asks first.
 */
export function writesDebug(): boolean {
  const root = PinoLogger.root as { isLevelEnabled(level: string): boolean } | undefined; // unset outside of Nest
  return root?.isLevelEnabled('debug') ?? false;
}
