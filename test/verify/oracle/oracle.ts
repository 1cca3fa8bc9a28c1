import type { Evidence } from '../evidence/evidence';
import { checkAcknowledged } from './acknowledged';
import { acknowledgedIds } from './answers';
import { checkConduct } from './conduct';
import { checkDeliveries } from './deliveries/deliveries';
import { checkOrder } from './deliveries/order';
import { checkSilences } from './deliveries/silences';
import { checkErasures } from './erasures';
import { checkFailures } from './failures';
import { checkAnswers, checkFields } from './fields';
import { checkHistory } from './history';
import { checkIdentity } from './identity';
import { checkKeptRejections } from './kept-rejections';
import { KNOWN_FAULTS, type KnownFault } from './known-faults';
import { checkMetrics } from './metrics';
import { checkBalancer } from './network/balancer';
import { checkForgotten } from './network/forgotten';
import { checkOperators } from './operators';
import { checkReconciler } from './reconciler';
import { checkRejections } from './rejections';
import { checkRest } from './rest';
import { checkRolledUp } from './rolled-up';
import { checkSlowReaders, checkSpillFailures } from './slow-readers';
import { checkSources } from './sources';
import { checkStrangers } from './strangers';
import { checkUsage } from './usage';
import type { Breach, Violation } from './violation';

/** Each rule checks the evidence for violations of certain promises. */
export const RULES: readonly ((evidence: Evidence) => Violation[])[] = [
  checkAcknowledged,
  checkIdentity,
  checkFields,
  checkAnswers,
  checkRejections,
  checkKeptRejections,
  checkSources,
  checkHistory,
  checkFailures,
  checkDeliveries,
  checkOrder,
  checkSilences,
  checkErasures,
  checkUsage,
  checkReconciler,
  checkOperators,
  checkRest,
  checkMetrics,
  checkRolledUp,
  checkConduct,
  checkSlowReaders,
  checkSpillFailures,
  checkBalancer,
  checkForgotten,
  checkStrangers,
];

export interface Result {
  accepted: number;
  completed: number;
  lost: number;
  doubled: number;
  violations: Violation[];
  /** Violations that a known fault of the product explains. */
  expected: { fault: KnownFault; violation: Violation }[];
}

/** Applies all rules to the evidence of a run. */
export function examine(evidence: Evidence, knownFaults = KNOWN_FAULTS): Result {
  const violations: Violation[] = [];
  const expected: Result['expected'] = [];
  for (const violation of RULES.flatMap((rule) => rule(evidence))) {
    const fault = knownFaults.find(({ explains }) => explains(violation, evidence));
    if (fault) expected.push({ fault, violation });
    else violations.push(violation);
  }
  const count = (breach: Breach): number => violations.filter((violation) => violation.breach === breach).length;
  const accepted = [...acknowledgedIds(evidence.journal).keys()];
  return {
    accepted: accepted.length,
    completed: accepted.filter((name) => isCompleted(evidence.readBack.get(name)?.text)).length,
    lost: count('lost'),
    doubled: count('doubled'),
    violations,
    expected,
  };
}

function isCompleted(eventJson = '{}'): boolean {
  return (JSON.parse(eventJson) as { status?: string }).status === 'COMPLETED';
}

export function resultLine({ accepted, completed, lost, doubled, violations }: Result): string {
  return `accepted ${accepted}, completed ${completed}, lost ${lost}, doubled ${doubled}, violations ${violations.length}`;
}
