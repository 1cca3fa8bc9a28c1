import { ApiId, ApiInstant, ApiJson, ApiText } from './api-fields';

/** The normalised event, as destinations receive it. */
export class DeliveredEvent {
  @ApiId() id!: string;
  @ApiText('demo') tenantId!: string;
  @ApiText('sale-1001', { description: "The producer's id of the event; `id` if none was sent" }) eventId!: string;
  @ApiText('sale.completed') type!: string;
  @ApiText('order-1001') subject!: string;
  @ApiText('order-1001') partitionKey!: string;
  @ApiInstant() occurredAt!: string;
  @ApiInstant() receivedAt!: string;
  @ApiText('api') source!: string;
  @ApiText('1.0.0') schemaVersion!: string;
  @ApiText('1.0') specVersion!: string;
  @ApiText('76a217fe795fb749329e718a310a2b557b7e13782e73a94ef33357dc353c9cb6', {
    description: 'SHA-256 of the content, in hex',
  })
  hash!: string;
  @ApiId({ required: false, description: 'The source that the event came through, if it came through one' })
  sourceId?: string;
  @ApiText('c-1') correlationId!: string;
  @ApiJson(undefined, {
    required: false,
    description: 'Of a CloudEvent: its extension attributes, `dataschema` and `datacontenttype`, if it has any',
  })
  extensions?: unknown;
  @ApiJson({ amount: 10.5 }, { description: 'Any JSON value, exactly as sent' })
  payload!: unknown;
}
