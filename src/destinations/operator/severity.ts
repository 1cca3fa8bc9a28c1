/** As PagerDuty orders them. */
export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How grave an operator event is, by its type. What clears a condition is as grave as the condition: who got the one gets the other. */
export const SEVERITY_OF = {
  'destination.failing': 'error',
  'destination.recovered': 'error',
  'destination.disabled': 'error',
  'deadletters.growing': 'error',
  'rejections.growing': 'warning',
  'source.verification-failing': 'error',
  'outbox.lagging': 'critical',
  'quota.reached': 'warning',
  'source.silent': 'error',
  'source.resumed': 'error',
  'type.silent': 'error',
  'type.resumed': 'error',
  'key.expiring': 'warning',
  'partition.missing': 'critical',
  'storage.filling': 'error',
  'receiver.failing': 'error',
} as const satisfies Record<string, Severity>;
export type OperatorEventType = keyof typeof SEVERITY_OF;

/** Types that this build does not know are critical: it is better to send too much. */
export const severityOf = (type: string): Severity =>
  Object.hasOwn(SEVERITY_OF, type) ? SEVERITY_OF[type as OperatorEventType] : 'critical';

export const isAsGraveAs = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
