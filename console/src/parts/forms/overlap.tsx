import { useId } from 'react';

const CHOICES: [number, string][] = [
  [0, 'no longer: it ends now'],
  [3_600, 'for 1 hour more'],
  [86_400, 'for 1 day more'],
  [604_800, 'for 7 days more'],
];

interface Props {
  label: string;
  /** Seconds. */
  value: number;
  disabled?: boolean;
  onChange: (seconds: number) => void;
}

/** How long the old one goes on counting beside the new one. */
export function Overlap({ label, value, disabled, onChange }: Props) {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => onChange(Number(event.target.value))}>
        {CHOICES.map(([seconds, text]) => (
          <option key={seconds} value={seconds}>
            {text}
          </option>
        ))}
      </select>
    </>
  );
}
