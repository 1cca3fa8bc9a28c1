import { ShownOnce } from '../../../parts/copy/shown-once';

/** The whole URL of a source, which the response that made it alone has. */
export function ShownUrl({ url }: { url: string }) {
  return (
    <ShownOnce label="URL for the producer" text={url} copy="Copy the URL">
      The URL is a credential: whoever knows it may send requests. It is shown only now. If it is lost, the source can
      be given a new one.
    </ShownOnce>
  );
}
