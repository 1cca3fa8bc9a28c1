/**
 * Columns that may hold the content of an event, or a text that quotes it. An erasure removes it. A test finds every column
 * that is neither here nor known to hold none.
 */
export const CONTENT_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  dead_letters: ['error_message', 'message_group', 'note'],
  deliveries: ['last_error'],
  delivery_attempts: ['response_excerpt'],
  destination_failures: ['last_error'],
  event_revisions: ['note', 'payload'],
  event_state: ['last_error'],
  events: ['extensions', 'payload'],
  processing_attempts: ['error_message'],
  received_requests: ['body', 'request'],
  rejections: ['body', 'message', 'pointer', 'request'],
  source_samples: ['sample'],
};
