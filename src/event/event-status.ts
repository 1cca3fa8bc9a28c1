/**
 * Where an event stands. One place derives it: the view `event_status` (migrations), from facts that other tables hold.
 *
 *   RECEIVED ──▶ PUBLISHED ──▶ COMPLETED
 *                    │  ▲
 *                    ▼  │ due
 *                 RETRYING ──▶ DLQ ──▶ DISCARDED
 */
export const EVENT_STATUSES = ['RECEIVED', 'PUBLISHED', 'COMPLETED', 'RETRYING', 'DLQ', 'DISCARDED'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

export type AttemptStatus = 'SUCCESS' | 'RETRY' | 'DLQ';

/** Stable words for why an attempt ended as it did. */
export type ReasonCode = 'PROCESSED' | 'HANDLER_ERROR' | 'RETRY_EXHAUSTED' | 'INVALID_PAYLOAD' | 'TIMEOUT';
