import type { ErrorDetail } from '../../../event/problems';
import { schemaErrors } from './schema-check';
import type { Schema } from './verification-schema';

const MAX_BODY_BYTES = 8_192;

const answer = (maximum: number): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: ['status'],
  properties: {
    status: { type: 'integer', minimum: 200, maximum },
    body: { type: 'string', maxBytes: MAX_BODY_BYTES },
    contentType: { type: 'string', maxLength: 200, mediaType: true },
  },
});

const ANSWERS: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: { accepted: answer(299), duplicate: answer(299), rejected: answer(599) },
};

/** Only a rejected request may be answered with an error: a provider sends the others again. */
export function answersErrors(answers: object): ErrorDetail[] {
  return schemaErrors(ANSWERS, answers, '/answers');
}
