import { useId } from 'react';

interface Props {
  name: string;
  label: string;
  options: readonly string[];
  /** Those that are ticked at first. */
  ticked?: readonly string[];
}

/** Boxes of which several may be ticked. */
export function Choices({ name, label, options, ticked = [] }: Props) {
  const id = useId();
  return (
    <div role="group" aria-labelledby={id}>
      <span id={id}>{label}</span>
      <div className="choices">
        {options.map((option) => (
          <label key={option}>
            <input type="checkbox" name={name} value={option} defaultChecked={ticked.includes(option)} />
            {option}
          </label>
        ))}
      </div>
    </div>
  );
}
