/** Formats of messages to people. They tell operator events, and are for destinations of the tenant streamforge. */
export const OPERATOR_FORMATS = ['slack', 'teams', 'pagerduty'] as const;
export type OperatorFormat = (typeof OPERATOR_FORMATS)[number];

/** What the body of a delivery looks like. */
export const DELIVERY_FORMATS = ['event', 'cloudevents', 'cloudevents-binary', 'payload', ...OPERATOR_FORMATS] as const;
export type DeliveryFormat = (typeof DELIVERY_FORMATS)[number];

export const isOperatorFormat = (format: DeliveryFormat): format is OperatorFormat =>
  (OPERATOR_FORMATS as readonly string[]).includes(format);
