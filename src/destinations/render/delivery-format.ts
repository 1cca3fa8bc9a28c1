/** What the body of a delivery looks like. */
export const DELIVERY_FORMATS = ['event', 'cloudevents', 'cloudevents-binary', 'payload'] as const;
export type DeliveryFormat = (typeof DELIVERY_FORMATS)[number];
