import type { ReasonCode } from '../event/event-status';

export type Decision =
  | { kind: 'retry' | 'postpone'; reasonCode: ReasonCode; message: string; delayMs: number }
  | { kind: 'dead-letter'; reasonCode: ReasonCode; message: string };
