import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ENVELOPE_SCHEMA } from '../event/envelope-schema';
import { ApiInstant, ApiJson, ApiText } from '../http/docs/api-fields';

type EnvelopeField = keyof typeof ENVELOPE_SCHEMA.properties;
const ENVELOPE_FIELDS = Object.keys(ENVELOPE_SCHEMA.properties) as EnvelopeField[];

/** An event as a producer sends it. */
export class EventEnvelope {}
describeEnvelope(EventEnvelope, { required: ['eventType', 'subject'], without: ['type', 'entityId'] });

/** The same event with the legacy names of `eventType` and `subject`. */
export class LegacyEventEnvelope {}
describeEnvelope(LegacyEventEnvelope, { required: ['type', 'entityId'], without: ['eventType', 'subject'] });

/** Copies the fields from the schema that validates events, so that the document cannot differ from it. */
function describeEnvelope(of: object, { required, without }: Record<'required' | 'without', EnvelopeField[]>): void {
  for (const name of ENVELOPE_FIELDS) {
    if (without.includes(name)) continue;
    const { description } = ENVELOPE_SCHEMA.properties[name];
    const decorate =
      name === 'payload'
        ? ApiJson({ amount: 10.5 }, { description })
        : ApiProperty({ ...ENVELOPE_SCHEMA.properties[name], type: String, required: required.includes(name) });
    decorate((of as { prototype: object }).prototype, name);
  }
}

/** A CloudEvent 1.0 in JSON. */
export class CloudEvent {
  @ApiText('1.0') specversion!: string;
  @ApiText('sale-1002', { minLength: 1, maxLength: 255 }) id!: string;
  @ApiText('/shop', { minLength: 1, maxLength: 512 }) source!: string;
  @ApiText('sale.completed', { minLength: 1, maxLength: 255 }) type!: string;
  @ApiText('order-1002', { required: false, description: 'Default: the source' }) subject?: string;
  @ApiInstant({ required: false }) time?: string;
  @ApiText('order-1002', { required: false, description: 'Default: the subject' }) partitionkey?: string;
  @ApiText('application/json', { required: false }) datacontenttype?: string;
  @ApiJson({ amount: 7 }, { required: false }) data?: unknown;
  @ApiText(undefined, { required: false, description: 'Binary data in base64, instead of `data`' })
  data_base64?: string;
}

export const CLOUD_EVENT_REF = { $ref: getSchemaPath(CloudEvent) };
export const ENVELOPE_REF = {
  anyOf: [{ $ref: getSchemaPath(EventEnvelope) }, { $ref: getSchemaPath(LegacyEventEnvelope) }],
};
