import { useId } from 'react';
import { CopyButton } from '../../../parts/copy/copy-button';

/** The whole URL of a source, which the response that made it alone has. */
export function ShownUrl({ url }: { url: string }) {
  const id = useId();
  return (
    <div className="stack" role="status">
      <label htmlFor={id}>URL for the producer</label>
      <input id={id} readOnly value={url} onFocus={(event) => event.currentTarget.select()} />
      <CopyButton text={url} label="Copy the URL" />
      <p className="hint">
        The URL is a credential: whoever knows it may send requests. It is shown only now. If it is lost, the source can
        be given a new one.
      </p>
    </div>
  );
}
