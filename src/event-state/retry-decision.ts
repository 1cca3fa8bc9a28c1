import type { ReasonCode } from '../event/event-status';

export type RetryDecision =
  | { kind: 'retry' | 'postpone'; reasonCode: ReasonCode; message: string; delayMs: number }
  | { kind: 'dead-letter'; reasonCode: ReasonCode; message: string };
