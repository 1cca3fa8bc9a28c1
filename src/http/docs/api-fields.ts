import type { Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';

/**
 * Further facts about a field. There is no `default`: generators treat a property with a default as required, even in
 * requests.
 */
export interface FieldOptions {
  description?: string;
  example?: unknown;
  nullable?: boolean;
  required?: boolean;
  deprecated?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

const EXAMPLE_ID = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';
const EXAMPLE_INSTANT = '2026-11-24T04:08:57.544Z';

export const ApiText = (example?: string, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: String, ...(example === undefined ? {} : { example }) }, options);

export const ApiId = (options: FieldOptions = {}): PropertyDecorator =>
  field({ type: String, format: 'uuid', example: EXAMPLE_ID }, options);

/** RFC 3339 in UTC, with milliseconds. */
export const ApiInstant = (options: FieldOptions = {}): PropertyDecorator =>
  field({ type: String, format: 'date-time', example: EXAMPLE_INSTANT }, options);

/** A UTC day. */
export const ApiDay = (options: FieldOptions = {}): PropertyDecorator =>
  field({ type: String, format: 'date', example: '2026-11-24' }, options);

/** A whole number, from 0 unless the options say otherwise. */
export const ApiCount = (example: number, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, example }, options);

/** Seconds, with a fraction. */
export const ApiSeconds = (example: number, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: Number, minimum: 0, maximum: Number.MAX_SAFE_INTEGER, example }, options);

/** A list of seconds, each with a fraction and up to `maxSeconds`. */
export const ApiSecondsList = (example: number[], maxSeconds: number, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: 'array', items: { type: 'number', minimum: 0, maximum: maxSeconds }, example }, options);

/** A share, from 0 to 1. */
export const ApiRatio = (example: number, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: Number, minimum: 0, maximum: 1, example }, options);

export const ApiFlag = (example: boolean, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: Boolean, example }, options);

/** One word of a closed set, which gets its own schema. */
export const ApiEnum = (enumName: string, words: readonly string[], options: FieldOptions = {}): PropertyDecorator =>
  field({ enum: [...words], enumName }, options);

export const ApiObject = (of: Type<unknown>, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: of }, options);

export const ApiList = (of: Type<unknown>, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: [of] }, options);

/** An object of whole numbers. */
export const ApiCounts = (example: Record<string, number>, options: FieldOptions = {}): PropertyDecorator =>
  field(
    {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      example,
    },
    options,
  );

export const ApiAnyObject = (example: object, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: 'object', additionalProperties: true, example }, options);

/** Any JSON value. A reference, because Nest documents a field without a type as an object. */
export const ApiJson = (example: unknown, options: FieldOptions = {}): PropertyDecorator =>
  field({ type: Object, allOf: [{ $ref: '#/components/schemas/JsonValue' }], example }, options);
export const JSON_VALUE = { description: 'Any JSON value, including null' };

export const ApiNextCursor = (description = 'The cursor of the next page; null on the last page'): PropertyDecorator =>
  ApiText(undefined, { nullable: true, description });

function field(schema: object, options: FieldOptions): PropertyDecorator {
  return ApiProperty({ required: true, ...schema, ...options }); // explicit: an inherited field may be optional
}
