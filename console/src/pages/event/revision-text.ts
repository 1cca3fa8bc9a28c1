/** Returns the body of a revision. The payload stands in it as it was typed, so its numbers keep their digits. */
export function revisionText(payload: string, options: { dryRun: boolean; note: string | undefined }): string {
  const { dryRun, note } = options;
  const others = JSON.stringify({ retry: !dryRun, dryRun, ...(note === undefined ? {} : { note }) });
  return `{"payload":${payload.trim()},${others.slice(1)}`;
}
