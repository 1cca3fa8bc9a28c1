import { load, type Proof } from '../../../../support/sources/proof';

interface AdyenPackage {
  hmacValidator: new () => { calculateHmac(item: unknown, key: string): string };
}

const AUTHORISATION = {
  additionalData: { hmacSignature: '' },
  amount: { currency: 'EUR', value: 1130 },
  eventCode: 'AUTHORISATION',
  eventDate: '2026-09-21T16:13:19+02:00',
  merchantAccountCode: 'ShopEU',
  merchantReference: 'order-7\\:1',
  paymentMethod: 'visa',
  pspReference: 'QFQTPCQ8HXSKGK82',
  success: 'true',
};
const REFUND = {
  ...AUTHORISATION,
  eventCode: 'REFUND',
  originalReference: 'QFQTPCQ8HXSKGK80',
  pspReference: 'QFQTPCQ8HXSKGK83',
};

interface Batch {
  notificationItems: { NotificationRequestItem: typeof AUTHORISATION }[];
}

/** The body without its signatures; `sign` puts them in. */
const bodyOf = (...items: (typeof AUTHORISATION)[]): string =>
  JSON.stringify({
    live: 'false',
    notificationItems: items.map((NotificationRequestItem) => ({ NotificationRequestItem })),
  });

const itemsOf = (body: string): Batch['notificationItems'] => (JSON.parse(body) as Batch).notificationItems;

/** Each signed field of the second item changed, so that the first one is still right. */
function altered(body: string): string[] {
  const change = (apply: (item: Record<string, unknown>) => void): string => {
    const batch = JSON.parse(body) as Batch;
    apply(batch.notificationItems.at(-1)?.NotificationRequestItem as unknown as Record<string, unknown>);
    return JSON.stringify(batch);
  };
  const fields = [
    'pspReference',
    'originalReference',
    'merchantAccountCode',
    'merchantReference',
    'eventCode',
    'success',
  ];
  return [
    ...fields.map((field) => change((item) => (item[field] = `${String(item[field])}x`))),
    ...fields.map((field) => change((item) => delete item[field])),
    change((item) => (item.amount = { currency: 'EUR', value: 1131 })),
    change((item) => (item.amount = { currency: 'EUS', value: 1130 })),
    change((item) => (item.additionalData = {})),
    change((item) => (item.success = ['true'])),
    JSON.stringify({ live: 'false', notificationItems: [] }),
    '{}',
  ];
}

const AUTHORISED = {
  eventType: 'AUTHORISATION',
  subject: 'QFQTPCQ8HXSKGK82',
  eventId: 'QFQTPCQ8HXSKGK82:AUTHORISATION:true',
  occurredAt: '2026-09-21T16:13:19+02:00',
};

export const proof: Proof = {
  provider: 'adyen',
  outside: { signs: '@adyen/api-library: hmacValidator.calculateHmac' },
  secrets: [
    '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056',
    'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00',
  ],
  async sign(request, secret) {
    const { hmacValidator } = await load<AdyenPackage>('@adyen/api-library');
    const validator = new hmacValidator();
    const batch = JSON.parse(request.body) as Batch;
    for (const { NotificationRequestItem: item } of batch.notificationItems) {
      item.additionalData = { hmacSignature: validator.calculateHmac(item, secret) };
    }
    return { ...request, body: JSON.stringify(batch) };
  },
  signed: [],
  alteredBodies: altered,
  samples: [
    {
      request: { body: bodyOf(AUTHORISATION, REFUND) },
      events: (body) => [
        { ...AUTHORISED, payload: JSON.stringify(itemsOf(body)[0]?.NotificationRequestItem) },
        {
          ...AUTHORISED,
          eventType: 'REFUND',
          subject: 'QFQTPCQ8HXSKGK80',
          eventId: 'QFQTPCQ8HXSKGK83:REFUND:true',
          payload: JSON.stringify(itemsOf(body)[1]?.NotificationRequestItem),
        },
      ],
    },
  ],
};
