/** Request examples of the OpenAPI document. A test sends each of them. */
export const EVENT_EXAMPLE = {
  eventType: 'sale.completed',
  subject: 'order-1001',
  payload: { amount: 10.5 },
};

export const CLOUD_EVENT_EXAMPLE = {
  specversion: '1.0',
  id: 'sale-1002',
  source: '/shop',
  type: 'sale.completed',
  subject: 'order-1002',
  data: { amount: 7 },
};
