import { useId, type ReactNode } from 'react';
import { CopyButton } from './copy-button';

interface Props {
  /** `API key` */
  label: string;
  text: string;
  /** `Copy the key` */
  copy: string;
  /** What it is good for, and what to do when it is lost. */
  children: ReactNode;
}

/** A secret that no other response has, with a button to copy it. */
export function ShownOnce({ label, text, copy, children }: Props) {
  const id = useId();
  return (
    <div className="stack" role="status">
      <label htmlFor={id}>{label}</label>
      <input id={id} readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
      <CopyButton text={text} label={copy} />
      <p className="hint">{children}</p>
    </div>
  );
}
