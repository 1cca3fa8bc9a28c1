import { useEffect, useState } from 'react';

const SHOWN_MS = 2_000;

/** Copies a text. Without a clipboard, as on a page without TLS, it shows the text to copy by hand. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'by-hand'>('idle');
  useEffect(() => {
    if (state !== 'copied') return undefined;
    const timer = setTimeout(() => setState('idle'), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      setState('by-hand'); // no clipboard, or no leave to use it
    }
  }
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {state === 'copied' ? 'Copied' : label}
      </button>
      {state === 'by-hand' && (
        <textarea className="by-hand" readOnly value={text} aria-label={`${label}: text`} rows={4} />
      )}
    </>
  );
}
