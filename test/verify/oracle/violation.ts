/** Kinds of violations. */
export type Breach =
  | 'lost'
  | 'doubled'
  | 'changed'
  | 'unsettled'
  | 'undelivered'
  | 'repeated'
  | 'out of order'
  | 'unsigned'
  | 'not erased'
  | 'attempts'
  | 'failed by an outage'
  | 'dead letter'
  | 'usage'
  | 'metrics'
  | 'operator'
  | 'rejection'
  | 'repaired'
  | 'left over'
  | 'other installation'
  | 'strange answer'
  | 'shutdown'
  | 'crashed';

export interface Violation {
  breach: Breach;
  text: string;
  /** Names of the events concerned. */
  names: readonly string[];
}

export const violation = (breach: Breach, text: string, ...names: string[]): Violation => ({ breach, text, names });
