/** The fields that a producer sends. Fields that it leaves out are undefined. */
export interface Said {
  eventId: string | undefined;
  type: string;
  subject: string;
  partitionKey: string | undefined;
  occurredAt: string | undefined;
  source: string | undefined;
  schemaVersion: string | undefined;
  specVersion: string | undefined;
  correlationId: string | undefined;
  payloadText: string;
  /** Sends `type` and `entityId` instead of `eventType` and `subject`. */
  legacyNames: boolean;
}

/** The event in the form in which it is sent. */
export interface Written {
  contentType: string;
  /** Body of a single request, or one record of a stream. */
  text: string;
  /** Additional headers of a single request. */
  headers: Record<string, string>;
}

export function jsonOf(said: Said): Written {
  const members = fieldsOf(said).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  return { contentType: 'application/json', headers: {}, text: `{${members.join(',')},"payload":${said.payloadText}}` };
}

/** An `<event>` of an XML stream. */
export function xmlOf(said: Said): Written {
  const elements = fieldsOf(said).map(([name, value]) => `<${name}>${escaped(value)}</${name}>`);
  const text = `<event>${elements.join('')}<payload>${escaped(said.payloadText)}</payload></event>`;
  return { contentType: 'application/xml', headers: {}, text };
}

export function cloudEventOf(said: Said): Written {
  const members = attributesOf(said).map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  const text = `{${members.join(',')},"data":${said.payloadText}}`;
  return { contentType: 'application/cloudevents+json', headers: {}, text };
}

export function binaryCloudEventOf(said: Said): Written {
  const headers = attributesOf(said).map(([name, value]) => [`ce-${name}`, encodeURI(value)] as const);
  return { contentType: 'application/json', headers: Object.fromEntries<string>(headers), text: said.payloadText };
}

function fieldsOf(said: Said): [string, string][] {
  const { legacyNames, type, subject, payloadText: _, ...others } = said;
  return present(legacyNames ? { type, entityId: subject, ...others } : { eventType: type, subject, ...others });
}

function attributesOf({ eventId, source, type, subject, occurredAt, partitionKey }: Said): [string, string][] {
  return present({
    specversion: '1.0',
    id: eventId,
    source,
    type,
    subject,
    time: occurredAt,
    partitionkey: partitionKey,
  });
}

const present = (values: Record<string, string | undefined>): [string, string][] =>
  Object.entries(values).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\r', '&#13;');
