/**
 * Returns how many bytes the body of a request to a source may have. A provider may put several events into one request,
 * so the limit is larger than that of an event.
 */
export const largestSourceBody = (maxEventBytes: number): number => Math.max(maxEventBytes, 1_048_576);
