import { ShownOnce } from '../../../parts/copy/shown-once';

/** A whole API key, which the response that made it alone has. */
export function ShownKey({ text }: { text: string }) {
  return (
    <ShownOnce label="API key" text={text} copy="Copy the key">
      Send it as <code>Authorization: Bearer</code>. It is shown only now. If it is lost, revoke it and make another
      one.
    </ShownOnce>
  );
}
